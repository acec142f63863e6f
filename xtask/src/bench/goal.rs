//! The goals: each a ratio of two figures of the same round.

use super::Round;

/// Figures of rivals that are quoted, not measured here.
mod quoted {
    /// agentgateway adds this much to a call on one connection, in microseconds.
    pub(super) const ADDED_US: f64 = 380.0;
    /// Memory of agentgateway under load, in MiB.
    pub(super) const GATEWAY_MIB: f64 = 56.0;
    /// Memory of oidc-provider under load, in MiB.
    pub(super) const SERVER_MIB: f64 = 130.0;
    /// oidc-provider answers after this long, in milliseconds.
    pub(super) const START_MS: f64 = 310.0;
    /// agentgateway's stripped binary, in MiB.
    pub(super) const BINARY_MIB: f64 = 83.7;
}

/// Which side of its bounds a ratio should be on.
#[derive(Clone, Copy)]
enum Better {
    Higher,
    Lower,
}

/// A goal and what was measured of it.
pub(super) struct Goal {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    better: Better,
    must: f64,
    aim: f64,
    ratios: Vec<f64>,
}

impl Goal {
    /// Least, median and most over the rounds.
    pub(super) fn spread(&self) -> [f64; 3] {
        spread(&self.ratios)
    }

    /// A bound, with its direction.
    pub(super) fn bounds(&self) -> [String; 2] {
        let sign = match self.better {
            Better::Higher => "≥",
            Better::Lower => "≤",
        };
        [self.must, self.aim].map(|bound| format!("{sign} {bound:.2}"))
    }

    /// How the median stands to the bounds.
    pub(super) fn verdict(&self) -> &'static str {
        let [_, median, _] = self.spread();
        let reaches = |bound: f64| match self.better {
            Better::Higher => median >= bound,
            Better::Lower => median <= bound,
        };
        match (reaches(self.must), reaches(self.aim)) {
            (true, true) => "aim reached",
            (true, false) => "must reached",
            (false, _) => "**over budget**",
        }
    }
}

/// Least, median and most.
pub(super) fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let [first, .., last] = sorted.as_slice() else {
        return [sorted.first().copied().unwrap_or(f64::NAN); 3];
    };
    let upper = sorted[sorted.len() / 2];
    let lower = sorted[(sorted.len() - 1) / 2];
    [*first, f64::midpoint(lower, upper), *last]
}

/// All goals; `size` is the binary's, in MiB.
pub(super) fn all(rounds: &[Round], size: f64) -> Vec<Goal> {
    let goal = |name, what, better, [must, aim]: [f64; 2], ratio: &dyn Fn(&Round) -> f64| Goal {
        name,
        what,
        better,
        must,
        aim,
        ratios: rounds.iter().map(ratio).collect(),
    };
    use Better::{Higher, Lower};
    vec![
        goal(
            "G1",
            "redemption of an ID-JAG: requests/s, ours / floor with SQLite FULL",
            Higher,
            [0.55, 0.75],
            &|round| round.tokens.redemption.rate / round.tokens.redemption_floor.rate,
        ),
        goal(
            "G1 (CPU)",
            "the same by CPU time a request, floor / ours",
            Higher,
            [0.55, 0.75],
            &|round| round.tokens.redemption_floor.cpu_us / round.tokens.redemption.cpu_us,
        ),
        goal(
            "exchange",
            "exchange of an ID token: requests/s, ours / floor (one verification, one signature, one durable row); bounds as G1",
            Higher,
            [0.55, 0.75],
            &|round| round.tokens.exchange.rate / round.tokens.exchange_floor.rate,
        ),
        goal(
            "G5",
            "gateway, no token twice: CPU/call, ours / proxy that verifies every token",
            Lower,
            [1.5, 1.2],
            &|round| round.gateway.fresh.cpu_us / round.gateway.verifying_floor.cpu_us,
        ),
        goal(
            "G6",
            "gateway, tokens repeat: CPU/call, ours / proxy that remembers tokens",
            Lower,
            [2.5, 1.7],
            &|round| {
                round.gateway.repeated.saturated.cpu_us / round.gateway.remembering_floor.cpu_us
            },
        ),
        goal(
            "G7",
            "what remembering is worth: CPU/call, tokens repeat / no token twice",
            Lower,
            [0.40, 0.30],
            &|round| round.gateway.repeated.saturated.cpu_us / round.gateway.fresh.cpu_us,
        ),
        goal(
            "G11",
            "added time of a lone call: p50 ours − bare proxy, / what agentgateway adds (380 µs, quoted)",
            Lower,
            [0.40, 0.25],
            &|round| {
                let GatewayRoundTimes { ours, bare } = alone(round);
                (ours - bare) / quoted::ADDED_US
            },
        ),
        goal(
            "G12",
            "tail at 1,000 calls/s: p99 ours / p99 bare proxy (short runs)",
            Lower,
            [2.0, 1.3],
            &|round| round.gateway.repeated.steady.p99_us / round.gateway.plain.steady.p99_us,
        ),
        goal(
            "G13",
            "memory of the gateway under load / agentgateway's (56 MiB, quoted)",
            Lower,
            [0.7, 0.4],
            &|round| gateway_memory(round) / quoted::GATEWAY_MIB,
        ),
        goal(
            "G14",
            "memory of the token endpoint under load / oidc-provider's (130 MiB, quoted)",
            Lower,
            [0.3, 0.2],
            &|round| round.tokens.redemption.memory_mib / quoted::SERVER_MIB,
        ),
        goal(
            "G15",
            "start to first answer / oidc-provider's (310 ms, quoted)",
            Lower,
            [0.3, 0.1],
            &|round| round.tokens.start / quoted::START_MS,
        ),
        goal(
            "G16",
            "stripped binary / agentgateway's (83.7 MiB, quoted)",
            Lower,
            [0.35, 0.2],
            &|_| size / quoted::BINARY_MIB,
        ),
    ]
}

/// The most that the gateway held in a round.
pub(super) fn gateway_memory(round: &Round) -> f64 {
    let gateway = &round.gateway;
    let most = gateway.fresh.memory_mib.max(gateway.own.memory_mib);
    most.max(gateway.repeated.saturated.memory_mib)
}

struct GatewayRoundTimes {
    ours: f64,
    bare: f64,
}

fn alone(round: &Round) -> GatewayRoundTimes {
    GatewayRoundTimes {
        ours: round.gateway.repeated.alone.p50_us,
        bare: round.gateway.plain.alone.p50_us,
    }
}
