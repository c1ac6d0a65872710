//! Every operation of the served document, by callers of every kind, upon things of every kind, held to a table that is
//! made from what the document says of access. A new endpoint is in it by being in the document.

mod things;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, stream};
use hyper::StatusCode;
use serde_json::Value;

use crate::harness::{Answer, Caller, TestServer};
use crate::operation::{Access, Operation, Who};
use things::{Noun, Whose, noun_of, url_of};
use world::{Kind, Subject, World};

/// Requests on their way at a time.
const AT_ONCE: usize = 16;

/// For everybody, for the sake of the refresh token in its body; without one, whose session ends is said by the header.
const LOG_OUT: (&str, &str) = ("POST", "/auth/logout/");
/// Nobody gives themselves a password here: `/auth/password/change/` asks for the one they have.
const NOT_TO_ONESELF: &[(&str, &str)] = &[("PUT", "/auth/admin/users/{id}/password/")];
/// Nobody raises themselves, but for those who are as high as can be.
const NOT_TO_ONESELF_AS_STAFF: &[(&str, &str)] =
    &[("PUT", "/auth/admin/users/{id}/groups/"), ("PUT", "/auth/admin/users/{id}/permissions/")];
/// What is taken from everybody is taken by who has it.
const ONLY_WHAT_ONE_HAS: &[(&str, &str)] = &[("DELETE", "/auth/admin/permissions/{id}/")];

/// One square of the matrix.
#[derive(Clone)]
struct Cell<'a> {
    operation: &'a Operation,
    noun: Option<Noun>,
    kind: Kind,
    whose: Whose,
}

/// How an operation has to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The caller gets to what the operation does, be it to hear that the body is wrong.
    In,
    /// As it answers somebody who shows nothing.
    AsNobody,
    Refused(u16, &'static str),
}

struct Outcome<'a> {
    cell: Cell<'a>,
    answer: Answer,
}

#[tokio::test]
async fn everybody_gets_where_the_document_lets_them_and_nowhere_else() {
    let mut world = World::start().await;
    let operations = Operation::all(world.server()).await;
    let cells = cells(&operations);
    let count = count_squares(&operations);
    let stage = Stage::set(&mut world, &cells).await;
    let (refused, others): (Vec<_>, Vec<_>) =
        cells.iter().cloned().partition(|cell| matches!(cell.expected(), Verdict::Refused(..)));

    let before = world.seen().await;
    let mut outcomes = each(refused, |cell| stage.send(cell)).await;
    let after = world.seen().await;
    outcomes.extend(each(others, |cell| send_fresh(&world, &stage, cell)).await);

    let mut wrong = mismatches(&outcomes);
    if before != after {
        wrong.push("somebody who was refused changed something after all".to_owned());
    }
    assert!(wrong.is_empty(), "{} squares are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!((outcomes.len(), labels(&outcomes).len()), (count, count), "a square was left out");
}

#[tokio::test]
async fn what_is_for_administrators_needs_a_permission_and_the_document_says_all_of_it_once() {
    let server = TestServer::start().await;

    for operation in Operation::all(&server).await {
        let (access, what) = (&operation.access, format!("{} {}", operation.method, operation.path));
        if operation.path.starts_with("/auth/admin/") {
            let is_for_staff_with_it = access.caller == Who::Staff && !access.all().is_empty();
            assert!(is_for_staff_with_it || access.caller == Who::Superuser, "{what}");
        }
        assert!(access.all().is_empty() || access.caller == Who::Staff, "{what}");
        assert_eq!(operation.is_secured, access.caller != Who::Everybody, "{what}");
        assert_eq!(operation.takes_api_key, operation.is_secured && !access.needs_session, "{what}");
    }
}

/// The whole matrix; fails if a path names something that nobody knows.
fn cells(operations: &[Operation]) -> Vec<Cell<'_>> {
    let (mut cells, mut unknown) = (Vec::new(), Vec::new());
    for operation in operations {
        match noun_of(&operation.path) {
            Err(what) => unknown.push(what),
            Ok(noun) => cells.extend(Kind::all(operation).into_iter().flat_map(|kind| {
                let squares = Noun::whose(noun).iter();
                squares.map(move |whose| Cell { operation, noun, kind: kind.clone(), whose: *whose })
            })),
        }
    }
    assert!(unknown.is_empty(), "\n{}", unknown.join("\n"));
    cells
}

impl Cell<'_> {
    /// The table: what access means.
    fn expected(&self) -> Verdict {
        let (access, kind) = (self.access(), &self.kind);
        if access.caller == Who::Everybody {
            return Verdict::AsNobody;
        }
        match kind {
            Kind::Nobody => return Verdict::Refused(401, "not_authenticated"),
            kind if kind.is_stranger() => return Verdict::Refused(401, "invalid_token"),
            Kind::Key if access.needs_session => return Verdict::Refused(403, "session_required"),
            Kind::Temporary if !access.takes_temporary_password => {
                return Verdict::Refused(403, "password_change_required");
            }
            kind if access.caller == Who::Staff && !kind.is_staff_enough() => {
                return Verdict::Refused(403, "permission_denied");
            }
            kind if access.caller == Who::Superuser && *kind != Kind::Superuser => {
                return Verdict::Refused(403, "permission_denied");
            }
            _ => {}
        }
        let is_for_users = access.caller == Who::User;
        match self.whose {
            Whose::Missing => Verdict::Refused(404, "not_found"),
            Whose::Others | Whose::Superusers if is_for_users => Verdict::Refused(404, "not_found"),
            Whose::Superusers if *kind != Kind::Superuser && !self.operation.method.is_safe() => {
                Verdict::Refused(403, "permission_denied")
            }
            Whose::Own if *kind != Kind::Superuser && NOT_TO_ONESELF_AS_STAFF.contains(&self.name()) => {
                Verdict::Refused(403, "permission_denied")
            }
            Whose::Nobodys if *kind != Kind::Superuser && ONLY_WHAT_ONE_HAS.contains(&self.name()) => {
                Verdict::Refused(403, "permission_denied")
            }
            Whose::Own if NOT_TO_ONESELF.contains(&self.name()) => Verdict::Refused(403, "permission_denied"),
            _ => Verdict::In,
        }
    }

    fn access(&self) -> Access {
        let access = self.operation.access.clone();
        if self.name() == LOG_OUT {
            Access { caller: Who::User, needs_session: true, takes_temporary_password: true, ..access }
        } else {
            access
        }
    }

    fn name(&self) -> (&str, &str) {
        (self.operation.method.as_str(), self.operation.path.as_str())
    }

    /// Squares that have this in common can have their caller in common.
    fn caller(&self) -> Role {
        let needed = self.kind.has_what_is_needed().then(|| self.operation.access.all());
        (self.kind.clone(), needed.unwrap_or_default())
    }

    fn label(&self) -> String {
        let (method, path) = self.name();
        format!("{method:6} {path} | {} | {:?}", self.kind, self.whose)
    }
}

/// A kind of caller, with the permissions that they need.
type Role = (Kind, Vec<String>);

/// Callers and things for all squares where nothing is to happen to them.
struct Stage {
    callers: BTreeMap<Role, Subject>,
    things: BTreeMap<(Noun, Whose), String>,
}

impl Stage {
    async fn set(world: &mut World, cells: &[Cell<'_>]) -> Self {
        let roles: BTreeSet<Role> = cells.iter().map(Cell::caller).collect();
        let runs_out = |role: &Role| matches!(role.0, Kind::ExpiredToken | Kind::ExpiredKey);
        let (first, rest): (Vec<_>, Vec<_>) = roles.into_iter().partition(runs_out);
        let mut callers = Self::cast(world, first).await;
        world.outlive_tokens().await;
        callers.extend(Self::cast(world, rest).await);
        let mut things = BTreeMap::new();
        for noun in Noun::OWNED.into_iter().chain(Noun::SHARED) {
            for whose in Noun::whose(Some(noun)) {
                let thing = match whose {
                    Whose::Own | Whose::Nothing => continue,
                    Whose::Missing => noun.missing().to_owned(),
                    Whose::Others | Whose::Superusers | Whose::Nobodys => world.thing(noun, *whose).await,
                };
                things.insert((noun, *whose), thing);
            }
        }
        Self { callers, things }
    }

    async fn cast(world: &World, roles: Vec<Role>) -> BTreeMap<Role, Subject> {
        let make = async |role: Role| {
            let subject = world.subject(&role.0, &role.1, &Noun::OWNED).await;
            (role, subject)
        };
        stream::iter(roles).map(make).buffer_unordered(AT_ONCE).collect().await
    }

    async fn send<'a>(&self, cell: Cell<'a>) -> Outcome<'a> {
        let subject = &self.callers[&cell.caller()];
        let thing = cell.noun.map(|noun| match cell.whose {
            Whose::Own => &subject.own[&noun],
            whose => &self.things[&(noun, whose)],
        });
        request(cell.clone(), &subject.caller, thing.map_or("", String::as_str)).await
    }
}

/// The same where something may come of it: by a caller, and upon a thing, that nothing has happened to yet.
async fn send_fresh<'a>(world: &World, stage: &Stage, cell: Cell<'a>) -> Outcome<'a> {
    if cell.expected() == Verdict::AsNobody || cell.operation.method.is_safe() {
        return stage.send(cell).await;
    }
    let nouns: Vec<Noun> = cell.noun.filter(|_| cell.whose == Whose::Own).into_iter().collect();
    let (kind, needed) = cell.caller();
    let subject = world.subject(&kind, &needed, &nouns).await;
    let thing = match cell.noun {
        None => String::new(),
        Some(noun) if cell.whose == Whose::Own => subject.own[&noun].clone(),
        Some(noun) => world.thing(noun, cell.whose).await,
    };
    request(cell, &subject.caller, &thing).await
}

async fn request<'a>(cell: Cell<'a>, caller: &Caller, thing: &str) -> Outcome<'a> {
    let answer = cell.operation.send_to(caller, &url_of(&cell.operation.path, thing)).await;
    Outcome { cell, answer }
}

async fn each<'a, F: Future<Output = Outcome<'a>>>(
    cells: Vec<Cell<'a>>,
    send: impl Fn(Cell<'a>) -> F,
) -> Vec<Outcome<'a>> {
    stream::iter(cells).map(send).buffer_unordered(AT_ONCE).collect().await
}

/// What differs from the table, a line for each square.
fn mismatches(outcomes: &[Outcome<'_>]) -> Vec<String> {
    let to_nobody: BTreeMap<_, _> = outcomes
        .iter()
        .filter(|outcome| outcome.cell.kind == Kind::Nobody)
        .map(|outcome| (outcome.cell.name(), said(&outcome.answer)))
        .collect();
    // What is refused for one reason is refused in the same bytes, whether the thing is there or not.
    let mut refusals: BTreeMap<_, (StatusCode, Value)> = BTreeMap::new();
    let mut wrong = Vec::new();
    for outcome in outcomes {
        let (expected, got) = (outcome.cell.expected(), said(&outcome.answer));
        let is_right = match expected {
            Verdict::In => is_let_in(outcome),
            Verdict::AsNobody => {
                is_open(&outcome.answer) && Some(&got) == to_nobody.get(&outcome.cell.name())
            }
            Verdict::Refused(status, code) => got.0 == status && (got.1 == code || !is_problem(outcome)),
        };
        if !is_right {
            wrong.push(format!("{}: {expected:?} expected, {} {} got", outcome.cell.label(), got.0, got.1));
        } else if let Verdict::Refused(status, _) = expected {
            let answer = outcome.answer.anonymous();
            let first = refusals.entry((outcome.cell.name(), outcome.cell.kind.clone(), status));
            if *first.or_insert_with(|| answer.clone()) != answer {
                wrong.push(format!("{}: told apart from another refusal", outcome.cell.label()));
            }
        }
    }
    wrong.sort_unstable();
    wrong
}

fn said(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.body["code"].as_str().unwrap_or_default().to_owned())
}

/// Whether the operation itself speaks: it did what it does, or the body or the state of things is not fit for it.
fn is_let_in(outcome: &Outcome<'_>) -> bool {
    match outcome.answer.status.as_u16() {
        200..=299 | 302 | 303 | 400 | 409 => true,
        // It takes a form of one of our pages, of which the document does not tell.
        415 => outcome.cell.operation.least.is_none(),
        _ => false,
    }
}

/// Whether nobody has to say who they are.
fn is_open(answer: &Answer) -> bool {
    const CLOSED: &[&str] =
        &["not_authenticated", "permission_denied", "session_required", "password_change_required"];
    let (status, code) = said(answer);
    status < 500 && status != 405 && !CLOSED.contains(&code.as_str())
}

/// A surface for another service's front ends has errors of its own: there the status has to do.
fn is_problem(outcome: &Outcome<'_>) -> bool {
    outcome.answer.header("content-type") == Some("application/problem+json")
}

fn labels(outcomes: &[Outcome<'_>]) -> BTreeSet<String> {
    outcomes.iter().map(|outcome| outcome.cell.label()).collect()
}

/// Each operation by each kind of caller upon each kind of thing.
fn count_squares(operations: &[Operation]) -> usize {
    let things = |operation: &Operation| noun_of(&operation.path).map_or(0, |noun| Noun::whose(noun).len());
    operations.iter().map(|operation| Kind::all(operation).len() * things(operation)).sum()
}
