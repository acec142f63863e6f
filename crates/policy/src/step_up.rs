//! Whether another sign-in alone would turn a denial into permission (ID-40, ID-41, RFC 9470).
//!
//! The slice is evaluated again as if the person had just signed in, and as if with each class that
//! the slice's `@step_up_acr` annotations offer. What stays denied then is a hard denial and is
//! never answered with a request to sign in (N-175).

use crate::case::{Case, Outcome};
use crate::context::SignInFacts;
use crate::decision::Decision;
use crate::reads::Reads;

/// The least that would help, if anything does.
pub(crate) fn find(case: &Case<'_>, before: &[Outcome]) -> Option<Decision> {
    let has_failed = before
        .iter()
        .any(|outcome| matches!(outcome, Outcome::Fails(_)));
    if has_failed || !case.reads.intersects(Reads::SIGN_IN) {
        return None;
    }
    let present = case.sign_in();
    let fresh = SignInFacts {
        age: Some(0),
        ..present
    };
    if let Some(changed) = attempt(case, before, fresh) {
        return Some(answer(case, &changed, true, &[]));
    }
    stronger(case, before, present).or_else(|| stronger(case, before, fresh))
}

/// Every class that would help at this age of the sign-in.
fn stronger(case: &Case<'_>, before: &[Outcome], base: SignInFacts<'_>) -> Option<Decision> {
    let mut helpful = Vec::new();
    let mut changed = Vec::new();
    for acr in classes(case) {
        if let Some(by_this) = attempt(
            case,
            before,
            SignInFacts {
                acr: Some(acr),
                ..base
            },
        ) {
            helpful.push(acr);
            changed.extend(by_this);
        }
    }
    changed.sort_unstable();
    changed.dedup();
    let is_fresh = base != case.sign_in();
    (!helpful.is_empty()).then(|| answer(case, &changed, is_fresh, &helpful))
}

fn classes<'a>(case: &'a Case<'_>) -> Vec<&'a str> {
    let mut classes: Vec<&str> = Vec::new();
    for acr in case
        .slice
        .iter()
        .flat_map(|one| &one.body.sign_in.acr_values)
    {
        if !classes.contains(&acr.as_str()) {
            classes.push(acr);
        }
    }
    classes
}

/// The policies that change their mind, if the request would then be allowed.
fn attempt(case: &Case<'_>, before: &[Outcome], sign_in: SignInFacts<'_>) -> Option<Vec<usize>> {
    let after = case.outcomes(sign_in).ok()?;
    let is_allowed = case.conclude(&after).is_allow();
    let changed = (0..before.len()).filter(|&number| before[number] != after[number]);
    is_allowed.then(|| changed.collect())
}

fn answer(case: &Case<'_>, changed: &[usize], is_fresh: bool, acr_values: &[&str]) -> Decision {
    let policies = || changed.iter().map(|&number| case.slice[number]);
    // A policy without a number to read off can still be satisfied: by a sign-in right now.
    let ages = policies()
        .map(|one| one.body)
        .filter(|body| body.facts.reads.intersects(Reads::AGE));
    let ages = ages.map(|body| {
        body.sign_in
            .max_age
            .or(body.facts.greatest_age)
            .unwrap_or(0)
    });
    Decision::StepUp {
        policies: policies().map(|one| one.statement.id.clone()).collect(),
        acr_values: (!acr_values.is_empty()).then(|| acr_values.join(" ")),
        max_age: if is_fresh {
            Some(ages.min().unwrap_or(0))
        } else {
            None
        },
    }
}
