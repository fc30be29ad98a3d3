//! `all`, `any`, `not`, and everything that can be used as a rule.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use auth_proxy::rules::{Decision, DynRule, Rule, StepUp, Visitor, all, any, not, role, signed_in};
use auth_proxy::{Session, Token};
use serde_json::{Value, json};

use super::{decide, is};
use crate::support::{Admin, Auth};

/// Answers always the same, and counts how often it is asked.
struct Fixed(Decision, &'static AtomicUsize);

static ASKED: AtomicUsize = AtomicUsize::new(0);

impl Rule<Auth> for Fixed {
    async fn check(&self, _: &Visitor<'_, Auth>) -> Decision {
        self.1.fetch_add(1, SeqCst);
        self.0.clone()
    }
}

/// Every decision with the answer to it.
fn decisions() -> [(Decision, &'static str); 6] {
    [
        (Decision::Allow, "ok"),
        (Decision::Refuse, "403 policy_refused"),
        (Decision::Unknown, "403 policy_refused"),
        (Decision::SignInTimeUnknown, "403 sign_in_time_unknown"),
        (Decision::StepUp(StepUp::within(Duration::from_secs(60))), "401 step_up_required"),
        (Decision::unavailable("no database"), "503 policy_unavailable"),
    ]
}

fn fixed(decision: &Decision) -> DynRule<Auth> {
    DynRule::new(Fixed(decision.clone(), &ASKED))
}

async fn ask<M>(rule: impl auth_proxy::rules::IntoRule<Auth, M>) -> String {
    decide(&json!({ "user": {} }), &json!({}), rule).await
}

#[tokio::test]
async fn each_decision_has_its_answer_and_its_negation() {
    for (decision, answer) in decisions() {
        assert_eq!(ask(fixed(&decision)).await, answer, "{decision:?}");
        let negated = match &decision {
            Decision::Refuse => "ok",
            Decision::Allow | Decision::StepUp(_) => "403 policy_refused",
            _ => answer,
        };
        assert_eq!(ask(not(fixed(&decision))).await, negated, "not {decision:?}");
    }
}

/// Only a certain refusal, negated, is a permission: nobody passes two negations of a rule that does not allow them.
#[tokio::test]
async fn double_negation_allows_only_whom_the_rule_allows() {
    for (decision, answer) in decisions() {
        let twice = ask(not(not(fixed(&decision)))).await;
        assert_eq!(twice == "ok", answer == "ok", "not not {decision:?}: {twice}");
        let beside = not(any((not(fixed(&decision)), role("guest"))));
        let visitor = json!({ "user": { "role": "user" } });
        let answered = decide(&visitor, &json!({}), beside).await;
        assert_eq!(answered == "ok", answer == "ok", "{decision:?} beside a role: {answered}");
    }
}

/// The answer does not depend on the order, so no order of rules lets more visitors pass.
#[tokio::test]
async fn two_rules_together_have_one_answer_in_any_order() {
    // From the strongest to the weakest.
    let of_all = [
        "403 policy_refused",
        "503 policy_unavailable",
        "403 sign_in_time_unknown",
        "401 step_up_required",
        "ok",
    ];
    let of_any = [
        "ok",
        "503 policy_unavailable",
        "401 step_up_required",
        "403 sign_in_time_unknown",
        "403 policy_refused",
    ];
    for (one, first) in decisions() {
        for (two, second) in decisions() {
            // `Refuse` and `Unknown` have the same answer, with different strengths.
            if matches!(one, Decision::Unknown) || matches!(two, Decision::Unknown) {
                continue;
            }
            let strongest = |of: [&'static str; 5]| {
                of.into_iter().find(|answer| [first, second].contains(answer)).unwrap()
            };
            assert_eq!(ask(all((fixed(&one), fixed(&two)))).await, strongest(of_all), "all {one:?} {two:?}");
            assert_eq!(ask(any((fixed(&one), fixed(&two)))).await, strongest(of_any), "any {one:?} {two:?}");
        }
    }
    for (decision, answer) in decisions() {
        let unknown = fixed(&Decision::Unknown);
        let both = ask(all((unknown.clone(), fixed(&decision)))).await;
        let unavailable = matches!(decision, Decision::Unavailable(_));
        assert_eq!(both.starts_with("403"), !unavailable, "{decision:?}: {both}");
        let either = ask(any((fixed(&decision), unknown))).await;
        assert_eq!(either, answer, "{decision:?}");
    }
}

#[tokio::test]
async fn rules_are_asked_until_the_answer_is_certain() {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let rule = |decision: Decision| Fixed(decision, &COUNT);
    let asked = || COUNT.swap(0, SeqCst);
    ask(all((rule(Decision::Refuse), rule(Decision::Allow)))).await;
    assert_eq!(asked(), 1);
    ask(any((rule(Decision::Allow), rule(Decision::Refuse)))).await;
    assert_eq!(asked(), 1);
    ask(all((rule(Decision::Unknown), rule(Decision::Refuse)))).await;
    assert_eq!(asked(), 2);
}

#[tokio::test]
async fn no_rule_at_all_refuses() {
    let none: Vec<DynRule<Auth>> = Vec::new();
    assert_eq!(ask(all(none.clone())).await, is(false));
    assert_eq!(ask(any(none.clone())).await, is(false));
    assert_eq!(ask(not(all(none.clone()))).await, is(false));
    assert_eq!(ask(not(any(none))).await, is(false));
}

#[tokio::test]
async fn policies_functions_and_lists_are_rules() {
    let user = |role: &str| json!({ "user": { "role": role, "email": "ada@example.com" } });
    let none = json!({});
    for (role_of, expected) in [("admin", true), ("user", false)] {
        let session: Value = user(role_of);
        assert_eq!(decide(&session, &none, Admin).await, is(expected));
        let function =
            |session: &Session<Auth>, _: Option<&Token<Auth>>| session.user.extra["role"] == "admin";
        assert_eq!(decide(&session, &none, function).await, is(expected));
        let later = |session: Session<Auth>, token: Option<Token<Auth>>| async move {
            tokio::task::yield_now().await;
            token.is_some() && session.user.extra["role"] == "admin"
        };
        assert_eq!(decide(&session, &none, later).await, is(expected));
        let explained = |session: Session<Auth>, _: Option<Token<Auth>>| async move {
            match session.user.extra["role"].as_str() {
                Some("admin") => Decision::Allow,
                _ => Decision::StepUp(StepUp::with_acr(["mfa"])),
            }
        };
        let answer = decide(&session, &none, explained).await;
        assert_eq!(answer, if expected { "ok" } else { "401 step_up_required" });
        let several = all((signed_in(), Admin, function, later, role("admin"), not(role("user"))));
        assert_eq!(decide(&session, &none, several).await, is(expected));
        assert_eq!(decide(&session, &none, any([role("editor"), role("admin")])).await, is(expected));
        let listed: Vec<DynRule<Auth>> = vec![DynRule::new(Admin), DynRule::new(function)];
        assert_eq!(decide(&session, &none, all(listed)).await, is(expected));
    }
}

/// A rule that asks another proxy has its errors. They are no answer to this visitor.
#[tokio::test]
async fn error_of_another_proxy_in_a_rule_is_unavailable() {
    let other = Auth::builder().upstream_base_url("http://auth").build().unwrap();
    let absent = other.authorize(&mut http::Request::new(()).into_parts().0, signed_in()).await.unwrap_err();
    assert_eq!(absent.error().status(), 401);
    let rule = move |_: Session<Auth>, _: Option<Token<Auth>>| {
        let error = absent.error().clone();
        async { Decision::Unavailable(error) }
    };
    assert_eq!(ask(rule).await, "503 policy_unavailable");
}
