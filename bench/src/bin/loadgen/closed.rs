//! The closed loop: each connection sends as soon as its answer came.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;
use tokio::time::sleep;

use crate::connection::Connection;
use crate::tally::Tally;
use crate::{Outcome, Plan, process};

/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// Before another attempt to connect.
const PAUSE: Duration = Duration::from_millis(20);

struct Run {
    plan: Plan,
    tally: RefCell<Tally>,
    counts: Cell<bool>,
    next: Cell<usize>,
    until: Instant,
}

pub(crate) fn run(plan: Plan, pid: Option<String>) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let run = Rc::new(Run {
        until: Instant::now() + plan.warmup + plan.counted,
        plan,
        tally: RefCell::new(Tally::new()),
        counts: Cell::new(false),
        next: Cell::new(0),
    });
    let watched = run.clone();
    let (cpu, own_cpu, memory, seconds) =
        LocalSet::new().block_on(&runtime, async move { watched.watch(pid.as_deref()).await });
    let tally = run.tally.replace(Tally::new());
    Outcome {
        tally,
        cpu,
        own_cpu,
        memory,
        seconds,
    }
}

impl Run {
    /// Starts the connections and counts what they do after the warm-up.
    async fn watch(self: Rc<Self>, pid: Option<&str>) -> (Duration, Duration, f64, f64) {
        for _ in 0..self.plan.connections {
            tokio::task::spawn_local(self.clone().send());
        }
        sleep(self.plan.warmup).await;
        let pid = pid.unwrap_or("self");
        let before = (process::cpu(pid), process::cpu("self"));
        let start = Instant::now();
        self.counts.set(true);
        let mut memory = process::memory(pid);
        while Instant::now() < self.until {
            sleep(LOOK.min(self.until.saturating_duration_since(Instant::now()))).await;
            memory = memory.max(process::memory(pid));
        }
        self.counts.set(false);
        let seconds = start.elapsed().as_secs_f64();
        let after = (process::cpu(pid), process::cpu("self"));
        (after.0 - before.0, after.1 - before.1, memory, seconds)
    }

    async fn send(self: Rc<Self>) {
        while Instant::now() < self.until {
            let mut connection = match Connection::open(&self.plan.address).await {
                Ok(connection) => connection,
                Err(error) => {
                    self.tally.borrow_mut().lost(self.counts.get(), error);
                    sleep(PAUSE).await;
                    continue;
                }
            };
            while Instant::now() < self.until && self.once(&mut connection).await {}
        }
    }

    /// One request; whether the connection can be used again.
    async fn once(&self, connection: &mut Connection) -> bool {
        let request = self.plan.request(self.next.replace(self.next.get() + 1));
        let sent = Instant::now();
        let answer = connection.exchange(&request).await;
        let time = sent.elapsed();
        let (mut tally, counts) = (self.tally.borrow_mut(), self.counts.get());
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => {
                tally.lost(counts, error);
                return false;
            }
        };
        let body = &connection.buffer[answer.body..answer.end];
        if !self.plan.is_right(answer.status, body) {
            tally.bad(counts, &connection.buffer);
        } else if counts {
            tally.right(time);
            if self.plan.keeps {
                tally.keep(body);
            }
        }
        !answer.closes
    }
}
