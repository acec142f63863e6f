//! The open loop: requests are due at fixed times, and an answer's time counts from when its request
//! was due, so that a slow answer cannot hide those behind it.
//!
//! One blocking thread a connection: timers of the asynchronous runtime tick at a millisecond.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use symbolon_bench::http::{self, Answer};

use crate::tally::Tally;
use crate::{Outcome, Plan, process};

/// The system wakes sleepers up to 50 µs late; the rest is waited for awake.
const AWAKE: Duration = Duration::from_micros(80);
const LOOK: Duration = Duration::from_millis(250);

struct Sender {
    plan: Arc<Plan>,
    index: usize,
    period: Duration,
    start: Instant,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
    tally: Tally,
}

pub(crate) fn run(plan: Plan, rate: f64, pid: Option<&str>) -> Outcome {
    let plan = Arc::new(plan);
    let start = Instant::now();
    #[expect(clippy::cast_precision_loss, reason = "a few connections")]
    let period = Duration::from_secs_f64(plan.connections as f64 / rate);
    let senders: Vec<_> = (0..plan.connections)
        .map(|index| Sender {
            plan: plan.clone(),
            index,
            period,
            start,
            stream: None,
            buffer: Vec::with_capacity(64 * 1024),
            tally: Tally::new(),
        })
        .map(|sender| std::thread::spawn(|| sender.run()))
        .collect();
    std::thread::sleep(plan.warmup);
    let pid = pid.unwrap_or("self");
    let before = (process::cpu(pid), process::cpu("self"));
    let until = start + plan.warmup + plan.counted;
    let mut memory = process::memory(pid);
    while Instant::now() < until {
        std::thread::sleep(LOOK.min(until.saturating_duration_since(Instant::now())));
        memory = memory.max(process::memory(pid));
    }
    let after = (process::cpu(pid), process::cpu("self"));
    let mut tally = Tally::new();
    for sender in senders {
        tally.add(sender.join().expect("a sender that ended"));
    }
    Outcome {
        tally,
        cpu: after.0 - before.0,
        own_cpu: after.1 - before.1,
        memory,
        seconds: plan.counted.as_secs_f64(),
    }
}

impl Sender {
    fn run(mut self) -> Tally {
        let (connections, plan) = (self.plan.connections, self.plan.clone());
        let (from, until) = (
            self.start + plan.warmup,
            self.start + plan.warmup + plan.counted,
        );
        #[expect(clippy::cast_precision_loss, reason = "a few connections")]
        let offset = self.period.mul_f64(self.index as f64 / connections as f64);
        let (mut due, mut number) = (self.start + offset, self.index);
        while due < until {
            let request = plan.request(number);
            wait_until(due);
            let answer = self.exchange(&request);
            self.count(answer, due, due >= from);
            due += self.period;
            number += connections;
        }
        self.tally
    }

    fn count(&mut self, answer: Result<Answer, String>, due: Instant, counts: bool) {
        let time = due.elapsed();
        match answer {
            Ok(answer) => {
                let body = &self.buffer[answer.body..answer.end];
                if !self.plan.is_right(answer.status, body) {
                    self.tally.bad(counts, &self.buffer);
                } else if counts {
                    self.tally.right(time);
                }
                if answer.closes {
                    self.stream = None;
                }
            }
            Err(error) => {
                self.stream = None;
                self.tally.lost(counts, error);
            }
        }
    }

    fn exchange(&mut self, request: &[u8]) -> Result<Answer, String> {
        let said = |error: std::io::Error| error.to_string();
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(&self.plan.address).map_err(said)?;
                stream.set_nodelay(true).map_err(said)?;
                none.insert(stream)
            }
        };
        stream.write_all(request).map_err(said)?;
        self.buffer.clear();
        let mut part = [0_u8; 16 * 1024];
        loop {
            let length = stream.read(&mut part).map_err(said)?;
            if length == 0 {
                return Err("the connection was closed".to_owned());
            }
            self.buffer.extend_from_slice(&part[..length]);
            if let Some(answer) = http::parse(&self.buffer)? {
                return Ok(answer);
            }
        }
    }
}

fn wait_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    std::thread::sleep(left.saturating_sub(AWAKE));
    while Instant::now() < due {
        std::thread::yield_now();
    }
}
