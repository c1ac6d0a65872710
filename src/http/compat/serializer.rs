//! Bodies as Django REST framework reads them: JSON, form or multipart; numbers are texts, spaces around a text are cut
//! (never of a password), unknown members are passed over, and all that is wrong is said at once.

use std::fmt;

use futures_util::stream;
use multer::Multipart;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use warp::http::StatusCode;
use warp::http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use crate::config::Config;
use crate::domain::{Invalid, Password};
use crate::http::compat::drf;
use crate::http::endpoint::Endpoint;
use crate::http::error::ApiError;
use crate::http::request::Req;

/// What an endpoint of a surface takes. The schema says the same members as `read` asks for: a test compares them.
pub(super) trait Serializer: ToSchema + Sized {
    /// None if something was wrong; the data remembers what.
    fn read(data: &mut Data, config: &Config) -> Option<Self>;
}

/// Says what an endpoint takes.
pub(super) trait Takes {
    fn takes<S: Serializer>(self) -> Self;
}

impl Takes for Endpoint {
    fn takes<S: Serializer>(self) -> Self {
        #[cfg(test)]
        tests::assert_the_schema_is_what_is_read::<S>();
        self.described_by::<S>()
    }
}

/// Reads the body as what the endpoint takes.
pub(super) async fn read<S: Serializer>(req: &mut Req, config: &Config) -> Result<S, ApiError> {
    let mut data = Data::of(req).await?;
    match S::read(&mut data, config) {
        Some(body) if data.errors.is_empty() => Ok(body),
        _ => Err(ApiError::Told(StatusCode::BAD_REQUEST, Value::Object(data.errors))),
    }
}

/// A text and what may be said in it; by itself it must be there and not be blank.
pub(super) struct Text {
    name: &'static str,
    is_required: bool,
    may_be_blank: bool,
    may_be_null: bool,
    longest: usize,
}

impl Text {
    pub(super) const fn of(name: &'static str) -> Self {
        Self { name, is_required: true, may_be_blank: false, may_be_null: false, longest: usize::MAX }
    }

    /// May be missing.
    pub(super) const fn optional(self) -> Self {
        Self { is_required: false, ..self }
    }

    pub(super) const fn or_blank(self) -> Self {
        Self { may_be_blank: true, ..self }
    }

    /// `null` says as little as nothing at all.
    pub(super) const fn or_null(self) -> Self {
        Self { may_be_null: true, ..self }
    }

    /// In characters.
    pub(super) const fn up_to(self, longest: usize) -> Self {
        Self { longest, ..self }
    }
}

/// The members of a body, and what is wrong with them.
#[derive(Default)]
pub(super) struct Data {
    members: Map<String, Value>,
    /// A form says a list by saying a member more than once; of a text, the last counts.
    is_form: bool,
    #[cfg(test)]
    asked: Vec<&'static str>,
    errors: Map<String, Value>,
}

impl Data {
    async fn of(req: &mut Req) -> Result<Self, ApiError> {
        let header = req.headers().get(CONTENT_TYPE).and_then(|header| header.to_str().ok());
        let media_type = header.unwrap_or_default().to_owned();
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if req.headers().contains_key(CONTENT_ENCODING) {
            return Err(ApiError::UnsupportedMediaType);
        }
        let bytes = req.bytes().await?;
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let members = match essence.as_str() {
            "application/json" => of_json(&bytes)?,
            "application/x-www-form-urlencoded" => of_form(&bytes),
            "multipart/form-data" => of_multipart(bytes, &media_type).await?,
            _ => {
                let text = format!("Unsupported media type \"{essence}\" in request.");
                return Err(drf::detail(StatusCode::UNSUPPORTED_MEDIA_TYPE, &text));
            }
        };
        Ok(Self { members, is_form: essence != "application/json", ..Self::default() })
    }

    pub(super) fn text(&mut self, text: &Text) -> Option<String> {
        let value = self.plain(text, str::trim)?;
        if value.chars().count() > text.longest {
            let most = format!("Ensure this field has no more than {} characters.", text.longest);
            self.refuse(text.name, &most);
            return None;
        }
        Some(value)
    }

    /// A text that is more than a text.
    pub(super) fn parsed<T>(
        &mut self,
        text: &Text,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        let value = self.text(text).filter(|value| !value.is_empty())?;
        parse(&value).map_err(|invalid| self.refuse(text.name, &invalid.message)).ok()
    }

    /// A password, exactly as it was sent.
    pub(super) fn password(&mut self, name: &'static str) -> Option<Password> {
        self.secret(&Text::of(name))
    }

    /// The same if it is there.
    pub(super) fn optional_password(&mut self, name: &'static str) -> Option<Password> {
        self.secret(&Text::of(name).optional())
    }

    fn secret(&mut self, text: &Text) -> Option<Password> {
        let (name, value) = (text.name, self.plain(text, |text| text)?);
        Password::parse(&value).map_err(|invalid| self.refuse(name, &invalid.message)).ok()
    }

    /// What may be missing, and is true or false in one of the ways that the framework knows.
    pub(super) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let value = self.member(name)?;
        let text = match &value {
            Value::Bool(is) => return Some(*is),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_ascii_lowercase(),
            _ => String::new(),
        };
        match text.as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => return Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => return Some(false),
            _ if value.is_null() => self.refuse(name, "This field may not be null."),
            _ => self.refuse(name, "Must be a valid boolean."),
        }
        None
    }

    /// A list of numbers of other rows, which may be missing; whatever cannot be one is refused.
    pub(super) fn keys(&mut self, name: &'static str) -> Option<Vec<u64>> {
        let values = match self.member(name)? {
            Value::Array(values) => values,
            value if self.is_form => vec![value],
            value => {
                self.refuse(name, &format!("Expected a list of items but got type \"{}\".", kind_of(&value)));
                return None;
            }
        };
        let mut keys = Vec::new();
        for value in values {
            let key = match &value {
                Value::Number(number) => number.as_u64().ok_or_else(|| no_such_key(number)),
                Value::String(text) => text.trim().parse().map_err(|_| no_such_key(text)),
                _ => Err(format!("Incorrect type. Expected pk value, received {}.", kind_of(&value))),
            };
            keys.push(key.map_err(|wrong| self.refuse(name, &wrong)).ok()?);
        }
        Some(keys)
    }

    /// Whether anything is said of it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// Whether anything is wrong so far.
    pub(super) fn is_refused_at_all(&self) -> bool {
        !self.errors.is_empty()
    }

    pub(super) fn is_refused(&self, name: &str) -> bool {
        self.errors.contains_key(name)
    }

    pub(super) fn refuse(&mut self, name: &str, text: &str) {
        let texts = self.errors.entry(name).or_insert_with(|| Value::Array(Vec::new()));
        if let Some(texts) = texts.as_array_mut() {
            texts.push(text.into());
        }
    }

    fn plain(&mut self, text: &Text, trim: fn(&str) -> &str) -> Option<String> {
        let value = match self.member(text.name).map(|value| self.last_of(value)) {
            None if text.is_required => Err("This field is required."),
            None => return None,
            Some(Value::Null) if text.may_be_null => return None,
            Some(Value::Null) => Err("This field may not be null."),
            Some(Value::String(value)) if value.contains('\0') => Err("Null characters are not allowed."),
            Some(Value::String(value)) => Ok(trim(&value).to_owned()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            Some(_) => Err("Not a valid string."),
        };
        let value = value.and_then(|value| {
            let is_refused = value.is_empty() && !text.may_be_blank;
            if is_refused { Err("This field may not be blank.") } else { Ok(value) }
        });
        value.map_err(|wrong| self.refuse(text.name, wrong)).ok()
    }

    fn member(&mut self, name: &'static str) -> Option<Value> {
        #[cfg(test)]
        self.asked.push(name);
        self.members.remove(name)
    }

    fn last_of(&self, value: Value) -> Value {
        match value {
            Value::Array(mut values) if self.is_form => values.pop().unwrap_or_default(),
            value => value,
        }
    }
}

/// What the framework says of a number that names no row.
pub(super) fn no_such_key(key: impl fmt::Display) -> String {
    format!("Invalid pk \"{key}\" - object does not exist.")
}

/// A type, by its name in Python.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Object(_) => "dict",
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
    }
}

fn of_json(bytes: &[u8]) -> Result<Map<String, Value>, ApiError> {
    let bad_request = |text: &str| drf::detail(StatusCode::BAD_REQUEST, text);
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| bad_request(&format!("JSON parse error - {error}")))?;
    let kind = kind_of(&value);
    if let Value::Object(members) = value {
        return Ok(members);
    }
    Err(drf::non_field(&format!("Invalid data. Expected a dictionary, but got {kind}.")))
}

fn of_form(bytes: &[u8]) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, value) in url::form_urlencoded::parse(bytes) {
        say(&mut members, name.into_owned(), value.into_owned());
    }
    members
}

/// A member that is said more than once is a list.
fn say(members: &mut Map<String, Value>, name: String, value: String) {
    match members.get_mut(&name) {
        Some(Value::Array(values)) => values.push(value.into()),
        Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
        None => drop(members.insert(name, value.into())),
    }
}

/// RFC 7578. Files are none of our business.
async fn of_multipart(bytes: Vec<u8>, media_type: &str) -> Result<Map<String, Value>, ApiError> {
    let wrong = |error: multer::Error| {
        drf::detail(StatusCode::BAD_REQUEST, &format!("Multipart form parse error - {error}"))
    };
    let boundary = multer::parse_boundary(media_type).map_err(wrong)?;
    let mut parts = Multipart::new(stream::iter([Ok::<_, std::io::Error>(bytes)]), boundary);
    let mut members = Map::new();
    while let Some(part) = parts.next_field().await.map_err(wrong)? {
        let Some(name) = part.name().map(str::to_owned).filter(|_| part.file_name().is_none()) else {
            continue;
        };
        let value = part.bytes().await.map_err(wrong)?;
        say(&mut members, name, String::from_utf8_lossy(&value).into_owned());
    }
    Ok(members)
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Email;

    fn config() -> Config {
        Config::from_toml("").expect("the defaults")
    }

    /// Runs for every body of every endpoint of a surface, whenever a test makes their list.
    pub(crate) fn assert_the_schema_is_what_is_read<S: Serializer>() {
        let mut data = Data::default();
        S::read(&mut data, &config());
        let schema = serde_json::to_value(S::schema()).expect("serializes");
        let mut described: Vec<&str> =
            schema["properties"].as_object().expect("an object").keys().map(String::as_str).collect();
        let mut asked = data.asked.clone();
        described.sort_unstable();
        asked.sort_unstable();
        assert_eq!(described, asked, "{}", S::name());
    }

    fn data(json: &Value) -> Data {
        Data { members: json.as_object().expect("an object").clone(), ..Data::default() }
    }

    /// What is said about the one member `x`.
    fn said(value: &Value, read: impl FnOnce(&mut Data)) -> Value {
        let mut data = data(&json!({ "x": value }));
        read(&mut data);
        data.errors.remove("x").map_or(Value::Null, |mut texts| texts[0].take())
    }

    #[test]
    fn texts_are_read_as_django_rest_framework_reads_them() {
        for (value, wrong) in [
            (Value::Null, "This field may not be null."),
            ("".into(), "This field may not be blank."),
            ("  ".into(), "This field may not be blank."),
            (true.into(), "Not a valid string."),
            (vec!["a"].into(), "Not a valid string."),
            ("a\0b".into(), "Null characters are not allowed."),
            ("abcd".into(), "Ensure this field has no more than 3 characters."),
        ] {
            let text = said(&value, |data| drop(data.text(&Text::of("x").up_to(3))));
            assert_eq!(text, wrong, "{value}");
        }
        let text = |value: &Value| data(&json!({ "x": value })).text(&Text::of("x").up_to(3));
        assert_eq!(text(&json!(" a ")).as_deref(), Some("a"));
        assert_eq!(text(&json!(123)).as_deref(), Some("123"));
        assert_eq!(data(&json!({})).text(&Text::of("x").optional()), None);
        assert_eq!(said(&json!("x"), |data| drop(data.text(&Text::of("x").optional()))), Value::Null);
    }

    #[test]
    fn a_password_is_never_trimmed() {
        let read = |value: &Value| data(&json!({ "x": value })).password("x");
        assert_eq!(read(&json!(" pw ")).expect("taken").expose(), " pw ");
        assert_eq!(read(&json!(123)).expect("taken").expose(), "123");
        assert!(read(&json!("")).is_none());
    }

    #[test]
    fn booleans_are_spelled_in_many_ways() {
        let read = |value: &Value| data(&json!({ "x": value })).boolean("x");
        for value in [json!(true), json!("True"), json!(1), json!("on"), json!(" yes ")] {
            assert_eq!(read(&value), Some(true), "{value}");
        }
        for value in [json!(false), json!("false"), json!(0), json!("off")] {
            assert_eq!(read(&value), Some(false), "{value}");
        }
        for value in [json!("2"), json!([true]), json!({}), json!("")] {
            let text = said(&value, |data| assert!(data.boolean("x").is_none()));
            assert_eq!(text, "Must be a valid boolean.", "{value}");
        }
        assert_eq!(data(&json!({})).boolean("x"), None);
    }

    #[test]
    fn keys_are_numbers_in_a_list() {
        assert_eq!(data(&json!({ "x": [1, "2"] })).keys("x"), Some(vec![1, 2]));
        for (value, wrong) in [
            (json!(1), "Expected a list of items but got type \"int\"."),
            (json!([-1]), "Invalid pk \"-1\" - object does not exist."),
            (json!(["x"]), "Invalid pk \"x\" - object does not exist."),
            (json!([true]), "Incorrect type. Expected pk value, received bool."),
            (json!([[1]]), "Incorrect type. Expected pk value, received list."),
        ] {
            assert_eq!(said(&value, |data| drop(data.keys("x"))), wrong, "{value}");
        }
    }

    #[test]
    fn a_form_says_a_list_by_saying_it_twice() {
        let form = |text: &str| Data { members: of_form(text.as_bytes()), is_form: true, ..Data::default() };
        assert_eq!(form("x=1&x=2&x=3").keys("x"), Some(vec![1, 2, 3]));
        assert_eq!(form("x=1").keys("x"), Some(vec![1]));
        assert_eq!(form("x=a&x=b").text(&Text::of("x")).as_deref(), Some("b"));
        let text = said(&json!(["a"]), |data| drop(data.text(&Text::of("x"))));
        assert_eq!(text, "Not a valid string.");
    }

    #[test]
    fn what_does_not_parse_says_why() {
        let text = said(&json!("ada"), |data| drop(data.parsed(&Text::of("x"), Email::parse)));
        assert_eq!(text, "Enter a valid email address.");
    }
}
