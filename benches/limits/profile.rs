//! A profile with a token, against a hello of the same size.
//!
//! The limit: the same server (its accept loop, its connection limits, its hyper settings) with a service that gives
//! one fixed body of as many bytes as the profile, and a content type. Both have one thread.
//!
//! What counts is the processor time of that thread. All threads share one core for it: 64 connections send, then the
//! server answers all, then they read, so that it sleeps and wakes equally often for both. By the clock, the client
//! has a core of its own, which is as busy as the server's.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::client::{Client, burst, drive, get, member};
use crate::measure::{Figure, compare, cpu_of_threads, rate};
use crate::service::{CHEAP, Service};

const ROUNDS: usize = 21;
const CONNECTIONS: usize = 64;
const SERVER_CORE: usize = 0;
const CLIENT_CORE: usize = 1;
const REQUESTS: usize = 20_000;

pub(crate) fn run() -> Vec<Figure> {
    run_on(SERVER_CORE);
    let folders = [tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder")];
    let ours = Service::start(folders[0].path(), CHEAP, 1, "ours");
    ours.register(1);
    let token = member(&ours.log_in(0).ask(), "access");
    let request = get("/auth/profile/", &token);

    let body = Bytes::from(Client::new(ours.address, request.clone()).ask());
    let size = body.len();
    let hello = Service::start_as(folders[1].path(), CHEAP, 1, "hello", async |server, stop| {
        server.run_service(Hello(body), async { drop(stop.await) }).await.expect("a clean end");
    });
    assert_eq!(Client::new(hello.address, request.clone()).ask().len(), size);

    let clients = |service: &Service| -> Vec<Client> {
        (0..CONNECTIONS).map(|_| Client::new(service.address, request.clone())).collect()
    };
    let (mut to_ours, mut to_hello) = (clients(&ours), clients(&hello));
    let [per_cpu] = compare(
        ROUNDS,
        || [per_cpu_second(&mut to_ours, "ours")],
        || [per_cpu_second(&mut to_hello, "hello")],
    );
    run_on(CLIENT_CORE);
    let [per_second] = compare(ROUNDS, || [per_second(&mut to_ours)], || [per_second(&mut to_hello)]);
    run_on_all();
    drop((to_ours, to_hello));
    ours.stop();
    hello.stop();
    vec![
        per_cpu.figure("profile, per second of the server's processor", "/s", ">= 0.8"),
        per_second.figure("profile, per second by the clock", "/s", ">= 0.8"),
    ]
}

fn per_cpu_second(clients: &mut [Client], threads: &str) -> f64 {
    let cpu = || cpu_of_threads(|name| name == threads);
    let before = cpu();
    burst(clients, REQUESTS / CONNECTIONS);
    rate(REQUESTS / CONNECTIONS * CONNECTIONS, cpu().saturating_sub(before))
}

fn per_second(clients: &mut [Client]) -> f64 {
    rate(REQUESTS, drive(clients, REQUESTS, || (), || ()))
}

/// Keeps this thread, and those that it starts from now on, on one core.
fn run_on(core: usize) {
    let mut cores = CpuSet::new();
    cores.set(core);
    sched_setaffinity(None, &cores).expect("there are two cores");
}

fn run_on_all() {
    let mut cores = CpuSet::new();
    (0..CpuSet::MAX_CPU).for_each(|core| cores.set(core));
    sched_setaffinity(None, &cores).expect("always allowed");
}

#[derive(Clone)]
struct Hello(Bytes);

impl tower_service::Service<Request<Incoming>> for Hello {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<Incoming>) -> Self::Future {
        let mut response = Response::new(Full::new(self.0.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        ready(Ok(response))
    }
}
