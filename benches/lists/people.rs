//! Who is in the store: the same person under the same number in every run.

use serde_json::{Value, json};

use crate::client::Client;
use crate::service::Service;

/// Requests on their way at a time: as many writes share a commit.
const AT_ONCE: usize = 128;

const FIRST: [&str; 20] = [
    "Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Frances", "John", "Margaret", "Ken", "Radia",
    "Niklaus", "Adele", "Tony", "Jean", "Leslie", "Sophie", "Robin", "Karen", "Dana",
];
const LAST: [&str; 17] = [
    "Lovelace", "Hopper", "Turing", "Dijkstra", "Liskov", "Knuth", "Allen", "Backus", "Hamilton", "Thompson",
    "Perlman", "Wirth", "Goldberg", "Hoare", "Bartik", "Lamport", "Wilson",
];

/// Adds those who are missing up to `size`, the first being the superuser.
pub(crate) fn add(service: &Service, size: usize) {
    let (mut client, token) = service.log_in();
    let (list, _) = client.get("/auth/admin/users/?limit=1", &token);
    let there = list["count"].as_u64().and_then(|count| usize::try_from(count).ok()).expect("a count");
    if there == 1 {
        for group in ["Editors", "Pilots"] {
            client.post("/auth/admin/groups/", &token, &json!({ "name": group }));
        }
    }
    let mut clients: Vec<Client> = (0..AT_ONCE).map(|_| Client::new(service.address)).collect();
    let numbers: Vec<usize> = (there..size).collect();
    for numbers in numbers.chunks(AT_ONCE) {
        for (client, number) in clients.iter_mut().zip(numbers) {
            client.send_post("/auth/admin/users/", &token, &person(*number));
        }
        for (client, _) in clients.iter_mut().zip(numbers) {
            client.receive();
        }
    }
}

fn person(number: usize) -> Value {
    let last = LAST[number / FIRST.len() % LAST.len()];
    let first = if (500..503).contains(&number) { "Wilhelmina" } else { FIRST[number % FIRST.len()] };
    let mut groups = Vec::new();
    // Numbers that go together with no name.
    if number % 10 == number / 1000 % 10 {
        groups.push("Editors");
    }
    if (700..720).contains(&number) {
        groups.push("Pilots");
    }
    let email = format!("{first}.{last}{number}@example.com").to_lowercase();
    let username = number.is_multiple_of(2).then(|| format!("{last}-{number}"));
    json!({
        "email": email, "username": username, "first_name": first, "last_name": last, "groups": groups,
        "is_active": number % 20 != number / 100 % 20,
    })
}
