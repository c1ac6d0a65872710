//! From the members of a body to parsed values, with everything that is wrong said at once.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use utoipa::ToSchema;

use crate::config::Config;
use crate::domain::{Change, Invalid};
use crate::http::error::{ApiError, INVALID_FIELDS};

/// What an endpoint takes. The schema says the same members as `decode` asks for: a test compares them.
pub(crate) trait Body: ToSchema + Sized {
    /// None if something was wrong; the fields remember what.
    fn decode(fields: &mut Fields, config: &Config) -> Option<Self>;
}

/// No endpoint knows as many members. More are not even looked at, and make no answer longer.
const MAX_MEMBERS: usize = 64;

/// Items of one list that are refused one by one: more of them say nothing new, and make the answer longer than the body.
const MAX_REFUSED: usize = 20;

/// The members of one body. Each is asked for once; what nobody asked for is refused.
#[derive(Default)]
pub(crate) struct Fields {
    values: Vec<(String, Value)>,
    asked: Vec<&'static str>,
    errors: Vec<(String, Vec<Invalid>)>,
}

impl Fields {
    pub(crate) fn of_json(bytes: &[u8]) -> Result<Self, ApiError> {
        let text = std::str::from_utf8(bytes).map_err(|_| ApiError::malformed("The body is not UTF-8."))?;
        let members: Members = serde_json::from_str(text)
            .map_err(|_| ApiError::malformed("The body is not one JSON object."))?;
        Ok(Self::of(members.0))
    }

    pub(crate) fn of_form(bytes: &[u8]) -> Self {
        let pairs = url::form_urlencoded::parse(bytes).take(MAX_MEMBERS);
        Self::of(pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect())
    }

    /// Members that are texts, or null.
    pub(crate) fn of_texts<'a>(members: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Self {
        let value = |text: Option<&str>| text.map_or(Value::Null, |text| Value::String(text.to_owned()));
        Self::of(members.map(|(name, text)| (name.to_owned(), value(text))).collect())
    }

    /// A member given twice is refused: two readers of one body must not see two values.
    fn of(members: Vec<(String, Value)>) -> Self {
        let mut fields = Self::default();
        for (name, value) in members {
            if fields.values.iter().any(|(other, _)| *other == name) {
                fields.refuse(&name, Invalid::new("type", "This field is given twice."));
            } else {
                fields.values.push((name, value));
            }
        }
        fields
    }

    pub(crate) fn decode<B: Body>(mut self, config: &Config) -> Result<B, ApiError> {
        let body = B::decode(&mut self, config);
        let unknown = std::mem::take(&mut self.values);
        for (name, _) in unknown {
            self.refuse(&name, Invalid::new("unknown_field", "This field is not known here."));
        }
        match body {
            Some(body) if self.errors.is_empty() => Ok(body),
            _ => Err(ApiError::Invalid(self.errors, INVALID_FIELDS)),
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(member, _)| member == name)
    }

    /// A member that must be there and parse.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        self.required_by_rules(name, |text| parse(text).map_err(|invalid| vec![invalid]))
    }

    /// The same for a member that may break several rules at once.
    pub(crate) fn required_by_rules<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Vec<Invalid>>,
    ) -> Option<T> {
        match self.take(name) {
            None => self.refuse(name, Invalid::required()),
            Some(Value::Null) => self.refuse(name, Invalid::new("null", "This field may not be null.")),
            Some(Value::String(text)) => match parse(&text) {
                Ok(value) => return Some(value),
                Err(broken) => broken.into_iter().for_each(|invalid| self.refuse(name, invalid)),
            },
            Some(_) => self.refuse_type(name),
        }
        None
    }

    /// A member that may be missing or null.
    pub(crate) fn optional<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        match self.nullable(name, parse) {
            Change::Set(value) => Some(value),
            Change::Clear | Change::Keep => None,
        }
    }

    /// A member that changes something: missing keeps it, null takes it away.
    pub(crate) fn nullable<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Change<T> {
        match self.take(name) {
            None => Change::Keep,
            Some(Value::Null) => Change::Clear,
            Some(Value::String(text)) => match parse(&text) {
                Ok(value) => Change::Set(value),
                Err(invalid) => {
                    self.refuse(name, invalid);
                    Change::Keep
                }
            },
            Some(_) => {
                self.refuse_type(name);
                Change::Keep
            }
        }
    }

    /// A member that may be missing, but not null.
    pub(crate) fn not_null<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Option<T> {
        match self.nullable(name, parse) {
            Change::Set(value) => Some(value),
            Change::Keep => None,
            Change::Clear => {
                self.refuse(name, Invalid::new("null", "This field may not be null."));
                None
            }
        }
    }

    /// A member that is a list of texts, or missing.
    pub(crate) fn list<T>(
        &mut self,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, Invalid>,
    ) -> Option<Vec<T>> {
        let Value::Array(items) = self.take(name)? else {
            self.refuse(name, Invalid::new("type", "Must be a list of strings."));
            return None;
        };
        let mut parsed = Vec::with_capacity(items.len());
        let mut refused = 0;
        for item in items {
            let invalid = match item.as_str().map(&parse) {
                Some(Ok(value)) => {
                    parsed.push(value);
                    continue;
                }
                Some(Err(invalid)) => invalid,
                None => Invalid::new("type", "Must be a list of strings."),
            };
            self.refuse(name, invalid);
            refused += 1;
            if refused == MAX_REFUSED {
                break;
            }
        }
        Some(parsed)
    }

    /// A member that is a list of whole numbers from 0 on, or missing.
    pub(crate) fn numbers(&mut self, name: &'static str) -> Option<Vec<u64>> {
        let Value::Array(items) = self.take(name)? else {
            self.refuse(name, Invalid::new("type", "Must be a list of whole numbers."));
            return None;
        };
        let numbers: Option<Vec<u64>> = items.iter().map(Value::as_u64).collect();
        if numbers.is_none() {
            self.refuse(name, Invalid::new("type", "Must be a list of whole numbers."));
        }
        numbers
    }

    /// A member that is true or false, or missing.
    pub(crate) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let value = self.take(name)?;
        if !value.is_boolean() {
            self.refuse(name, Invalid::new("type", "Must be true or false."));
        }
        value.as_bool()
    }

    /// Takes no offence at members that nobody asked for, where a standard says so.
    pub(crate) fn ignore_others(&mut self) {
        self.values.clear();
    }

    pub(crate) fn refuse(&mut self, name: &str, invalid: Invalid) {
        match self.errors.iter_mut().find(|(other, _)| other == name) {
            Some((_, broken)) => broken.push(invalid),
            None => self.errors.push((name.to_owned(), vec![invalid])),
        }
    }

    fn refuse_type(&mut self, name: &str) {
        self.refuse(name, Invalid::new("type", "Not a valid string."));
    }

    fn take(&mut self, name: &'static str) -> Option<Value> {
        self.asked.push(name);
        let at = self.values.iter().position(|(member, _)| member == name)?;
        Some(self.values.remove(at).1)
    }
}

/// An object's members in their order, those given twice included.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    if members.len() == MAX_MEMBERS {
                        return Err(serde::de::Error::custom("too many members"));
                    }
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::domain::Name;

    fn config() -> Config {
        Config::from_toml("").expect("the defaults")
    }

    /// Runs for every body of every endpoint, whenever a test makes the endpoint list.
    pub(crate) fn assert_the_schema_is_what_is_decoded<B: Body>() {
        let mut fields = Fields::default();
        B::decode(&mut fields, &config());
        let schema = serde_json::to_value(B::schema()).expect("serializes");
        let mut described: Vec<&str> =
            schema["properties"].as_object().expect("an object").keys().map(String::as_str).collect();
        let mut asked = fields.asked.clone();
        described.sort_unstable();
        asked.sort_unstable();
        assert_eq!(described, asked, "{}", B::name());
    }

    #[derive(ToSchema)]
    struct Pet {
        #[schema(value_type = String)]
        name: Name,
        #[schema(value_type = Option<String>)]
        colour: Change<String>,
        #[schema(value_type = bool, required = false)]
        is_tame: Option<bool>,
    }

    impl Body for Pet {
        fn decode(fields: &mut Fields, _config: &Config) -> Option<Self> {
            let name = fields.required("name", Name::parse);
            let colour = fields.nullable("colour", |text| Ok(text.to_owned()));
            let is_tame = fields.boolean("is_tame");
            Some(Self { name: name?, colour, is_tame })
        }
    }

    fn decode(json: &str) -> Result<Pet, Vec<(String, &'static str)>> {
        let fields = Fields::of_json(json.as_bytes()).map_err(|_| vec![(String::new(), "malformed")])?;
        fields.decode::<Pet>(&config()).map_err(|error| match error {
            ApiError::Invalid(errors, _) => {
                let first = |(name, broken): (String, Vec<Invalid>)| (name, broken[0].code);
                errors.into_iter().map(first).collect()
            }
            other => panic!("{other:?}"),
        })
    }

    fn refused(json: &str) -> Vec<(String, &'static str)> {
        decode(json).err().expect(json)
    }

    #[test]
    fn says_everything_that_is_wrong_at_once() {
        let wrong = refused(r#"{"colour": 7, "wings": 2}"#);
        let expected = [("name", "required"), ("colour", "type"), ("wings", "unknown_field")];
        assert_eq!(wrong, expected.map(|(field, code)| (field.to_owned(), code)));
    }

    #[test]
    fn each_wrong_kind_has_its_code() {
        for (json, field, code) in [
            ("{}", "name", "required"),
            (r#"{"name": null}"#, "name", "null"),
            (r#"{"name": 1}"#, "name", "type"),
            (r#"{"name": ["a"]}"#, "name", "type"),
            (r#"{"name": "a", "name": "b"}"#, "name", "type"),
            (r#"{"name": "a", "admin": true}"#, "admin", "unknown_field"),
        ] {
            assert_eq!(refused(json), [(field.to_owned(), code)], "{json}");
        }
        for json in ["", "[]", "\"a\"", "{", "null", r#"{"name": "a"} x"#, &"[".repeat(5000)] {
            assert_eq!(refused(json), [(String::new(), "malformed")], "{json}");
        }
    }

    #[test]
    fn takes_what_is_right() {
        assert_eq!(
            decode(r#"{"name": " Rex "}"#).map(|pet| pet.name),
            Ok(Name::from_stored("Rex".to_owned()))
        );
    }

    #[test]
    fn a_wish_is_true_or_false_and_nothing_that_looks_like_it() {
        let is_tame = |json: &str| decode(json).map(|pet| pet.is_tame);
        assert_eq!(is_tame(r#"{"name": "a"}"#), Ok(None));
        assert_eq!(is_tame(r#"{"name": "a", "is_tame": true}"#), Ok(Some(true)));
        assert_eq!(is_tame(r#"{"name": "a", "is_tame": false}"#), Ok(Some(false)));
        for value in ["null", "0", "1", "\"true\"", "\"\"", "[true]", "{}"] {
            let wrong = refused(&format!(r#"{{"name": "a", "is_tame": {value}}}"#));
            assert_eq!(wrong, [("is_tame".to_owned(), "type")], "{value}");
        }
    }

    #[test]
    fn missing_and_null_are_different_wishes() {
        let colour = |json: &str| decode(json).map(|pet| pet.colour);
        assert_eq!(colour(r#"{"name": "a"}"#), Ok(Change::Keep));
        assert_eq!(colour(r#"{"name": "a", "colour": null}"#), Ok(Change::Clear));
        assert_eq!(colour(r#"{"name": "a", "colour": "b"}"#), Ok(Change::Set("b".to_owned())));
    }
}
