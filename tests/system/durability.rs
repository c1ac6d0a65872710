//! SIGKILL under writes: what was acknowledged holds, what was not is whole or not there.
//!
//! The journal is the test's own memory: an attempt is noted before it is sent, its acknowledgement after it was read.
//! What was tried and not acknowledged may be either; no use is made of it again.

use std::collections::BTreeSet;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Answer, Client, Service, Tokens, configured, keystead};

const ROUNDS: u32 = 12;
const CLIENTS: u32 = 8;

/// What one client tried, and what of it was acknowledged.
#[derive(Default)]
struct Journal {
    number: u32,
    attempts: u64,
    users: Vec<Person>,
}

struct Person {
    email: String,
    password: String,
    id: u64,
    /// Each is the newest that was acknowledged.
    live: Vec<Tokens>,
    /// Of acknowledged log-outs.
    dead: Vec<Tokens>,
}

/// A small generator of its own: the seed that is printed brings back the same choices.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[test]
fn what_was_acknowledged_survives_twelve_kills() {
    let seed = RandomState::new().build_hasher().finish() | 1;
    eprintln!("seed {seed}");
    let mut dice = Dice(seed);
    let folder = configured("registration.verification = \"none\"");
    let mut journals: Vec<Journal> =
        (0..CLIENTS).map(|number| Journal { number, ..Journal::default() }).collect();

    for round in 0..ROUNDS {
        let service = Service::start(folder.path());
        let (client, stop) = (service.client(), AtomicBool::new(false));
        let pause = Duration::from_millis(5 + dice.below(396));
        thread::scope(|scope| {
            for journal in &mut journals {
                let (stop, dice) =
                    (&stop, Dice(seed ^ u64::from(round * CLIENTS + journal.number + 1) << 32));
                scope.spawn(move || journal.write_until(stop, client, round, dice));
            }
            thread::sleep(pause);
            service.kill();
            stop.store(true, Ordering::Relaxed);
        });

        let service = Service::start(folder.path());
        let client = service.client();
        thread::scope(|scope| {
            for journal in &mut journals {
                scope.spawn(move || journal.verify(client));
            }
        });
        assert_nobody_is_there_twice(&journals);
        service.kill();
        let checked = keystead(folder.path(), &["check"]).run().expect(0);
        assert!(checked.stdout.ends_with("sound\n"), "{checked:?}");
    }

    let attempts: u64 = journals.iter().map(|journal| journal.attempts).sum();
    let users: usize = journals.iter().map(|journal| journal.users.len()).sum();
    eprintln!("{attempts} attempts, {users} users");
    assert!(users > 0);
}

fn assert_nobody_is_there_twice(journals: &[Journal]) {
    let users = || journals.iter().flat_map(|journal| &journal.users);
    let emails: BTreeSet<&str> = users().map(|user| user.email.as_str()).collect();
    let ids: BTreeSet<u64> = users().map(|user| user.id).collect();
    assert_eq!((emails.len(), ids.len()), (users().count(), users().count()));
}

impl Journal {
    fn write_until(&mut self, stop: &AtomicBool, client: Client, round: u32, mut dice: Dice) {
        let mut step = 0;
        while !stop.load(Ordering::Relaxed) {
            step += 1;
            let outcome = match dice.below(10) {
                0 => self.register(client, &format!("user-{round}-{}-{step}@example.com", self.number)),
                // All clients want these: at most one gets each.
                1 => self.register(client, &format!("wanted-{round}-{step}@example.com")),
                2..=4 => self.log_in(client, &mut dice),
                5..=7 => self.refresh(client, &mut dice),
                _ => self.log_out(client, &mut dice),
            };
            if outcome.is_err() {
                return; // Killed.
            }
        }
    }

    fn register(&mut self, client: Client, email: &str) -> io::Result<()> {
        self.attempts += 1;
        let password = format!("correct horse {}", self.number);
        let answer = client.post("/auth/register/", &json!({ "email": email, "password": password }))?;
        if answer.status == 409 {
            assert!(email.starts_with("wanted"), "{}", answer.text);
            return Ok(());
        }
        let answer = answer.expect(201);
        let id = answer.body["user"]["id"].as_u64().expect("a number");
        let (live, dead) = (Vec::new(), Vec::new());
        self.users.push(Person { email: email.to_owned(), password, id, live, dead });
        Ok(())
    }

    fn log_in(&mut self, client: Client, dice: &mut Dice) -> io::Result<()> {
        let Some(user) = pick(&mut self.users, dice) else { return Ok(()) };
        self.attempts += 1;
        let answer = user.log_in(client)?;
        user.live.push(answer.expect(200).tokens());
        Ok(())
    }

    fn refresh(&mut self, client: Client, dice: &mut Dice) -> io::Result<()> {
        let Some(user) = pick(&mut self.users, dice) else { return Ok(()) };
        let Some(tokens) = user.live.pop() else { return Ok(()) };
        self.attempts += 1;
        let answer = client.post("/auth/token/refresh/", &json!({ "refresh": tokens.refresh }))?;
        user.live.push(answer.expect(200).tokens());
        Ok(())
    }

    fn log_out(&mut self, client: Client, dice: &mut Dice) -> io::Result<()> {
        let Some(user) = pick(&mut self.users, dice) else { return Ok(()) };
        let Some(tokens) = user.live.pop() else { return Ok(()) };
        self.attempts += 1;
        client.send("POST", "/auth/logout/", Some(&tokens.access), None)?.expect(204);
        user.dead.push(tokens);
        Ok(())
    }

    /// Looks at all of it after another start.
    fn verify(&mut self, client: Client) {
        let post = |path: &str, body: Value| client.post(path, &body).expect("an answer");
        for user in &mut self.users {
            let logged_in = user.log_in(client).expect("an answer").expect(200);
            assert_eq!(logged_in.body["user"]["id"], user.id);
            for tokens in &user.dead {
                for token in [&tokens.access, &tokens.refresh] {
                    post("/auth/token/verify/", json!({ "token": token })).expect(401);
                }
                post("/auth/token/refresh/", json!({ "refresh": tokens.refresh })).expect(401);
            }
            for tokens in &mut user.live {
                post("/auth/token/verify/", json!({ "token": tokens.access })).expect(200);
                let renewed = post("/auth/token/refresh/", json!({ "refresh": tokens.refresh }));
                *tokens = renewed.expect(200).tokens();
            }
        }
    }
}

impl Person {
    fn log_in(&self, client: Client) -> io::Result<Answer> {
        client.post("/auth/login/", &json!({ "identifier": self.email, "password": self.password }))
    }
}

fn pick<'a>(users: &'a mut [Person], dice: &mut Dice) -> Option<&'a mut Person> {
    let count = u64::try_from(users.len()).expect("few");
    let at = usize::try_from(dice.below(count.max(1))).expect("few");
    users.get_mut(at)
}
