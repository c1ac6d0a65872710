//! A list of users as a file: made page by page while it is sent, however many there are.

use std::borrow::Cow;
use std::sync::Arc;

use warp::http::StatusCode;
use warp::http::header::{CONTENT_DISPOSITION, HeaderValue};

use crate::app::App;
use crate::domain::{Directory, Invalid, User, append_row};
use crate::flows::{self, ListUsers, ListedUsers};
use crate::http::parts::{Hand, Parts};
use crate::http::reply::Reply;
use crate::http::request_id::RequestId;
use crate::http::views::UserView;

/// What the file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    /// One array.
    Json,
}

/// The file, beginning with the users of its first page. If a later page cannot be read, the connection breaks off.
pub(crate) fn file_of_users(
    app: &Arc<App>,
    wish: ListUsers,
    first: ListedUsers,
    format: Format,
    id: RequestId,
) -> Reply {
    let today = app.clock.now().to_string();
    let (day, ending) = (today.get(..10).unwrap_or_default(), format.as_str());
    let name = HeaderValue::try_from(format!("attachment; filename=\"users-{day}.{ending}\""));
    let (hand, parts) = Parts::new();
    tokio::spawn(make(Arc::clone(app), wish, first, format, hand, id));
    Reply::parts(StatusCode::OK, format.content_type(), parts)
        .header(CONTENT_DISPOSITION, name.unwrap_or(HeaderValue::from_static("attachment")))
}

/// Hands over page after page, and says the end if it comes to it.
async fn make(app: Arc<App>, wish: ListUsers, first: ListedUsers, format: Format, hand: Hand, id: RequestId) {
    let mut page = first;
    let mut text = format.head();
    let mut separator = "\n";
    loop {
        let directory = flows::directory(&app);
        for user in &page.users {
            format.append(&mut text, separator, user, &directory);
            separator = ",\n";
        }
        let next = page.next.take();
        if next.is_none() {
            text.extend(format.tail());
        }
        // Nobody reads any more: nobody needs the rest.
        let Ok(()) = hand.over(std::mem::take(&mut text)).await else { return };
        if next.is_none() {
            hand.end().await.ok();
            return;
        }
        page = match flows::list_users(&app, ListUsers { cursor: next, ..wish.clone() }).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(request.id = %id, %error, "an export broke off");
                return;
            }
        };
    }
}

impl Format {
    pub(crate) fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(Invalid::new("invalid", "csv or json.")),
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    fn head(self) -> Vec<u8> {
        let mut text = Vec::new();
        match self {
            Self::Csv => append_row(&mut text, UserView::COLUMNS.into_iter()),
            Self::Json => text.push(b'['),
        }
        text
    }

    /// A row, or an element of the array after its separator.
    fn append(self, text: &mut Vec<u8>, separator: &str, user: &User, directory: &Directory) {
        let view = UserView::new(user, directory);
        match self {
            Self::Csv => append_row(text, view.cells().iter().map(Cow::as_ref)),
            Self::Json => {
                text.extend(separator.bytes());
                // Plain text, numbers and lists: it always serializes.
                serde_json::to_writer(text, &view).unwrap_or_default();
            }
        }
    }

    const fn tail(self) -> &'static [u8] {
        match self {
            Self::Csv => b"",
            Self::Json => b"\n]\n",
        }
    }
}
