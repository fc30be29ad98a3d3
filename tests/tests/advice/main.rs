//! Applies the advice of every compile error of the cases in `ui/*/fail`, and compiles the result. Prints how many cases
//! begin with the right error, on the right tokens, with advice that compiles.

mod apply;
mod case;
mod compiler;
mod places;
mod source;
mod wording;

use std::collections::BTreeMap;

use apply::Program;
use case::{Case, First, Kind};
use compiler::{Diagnostic, Errors};
use wording::Edit;

/// The least share of good cases among those that are the crate's, in percent.
const LEAST: usize = 95;

#[test]
fn errors_begin_right_and_their_advice_compiles() {
    let cases = case::all();
    let programs: BTreeMap<String, String> =
        cases.iter().map(|case| (case.name.clone(), case.source.clone())).collect();
    let first = compiler::check("advice-cases", &programs);
    let mut once = advised(&programs, &first, edits);
    once.extend(second_ways(&cases, &first));
    let second = compiler::check("advice-once", &once);
    // A mistake can hide another one, so the advice of a second round counts too.
    let twice = advised(&still_wrong(&once, &second), &second, edits);
    let third = compiler::check("advice-twice", &twice);

    let mut report = Report::default();
    for case in &cases {
        let left = third.get(&case.name).unwrap_or(&second[&case.name]);
        let program = twice.get(&case.name).unwrap_or(&once[&case.name]);
        report.add(case, &first[&case.name], left, program, !second[&case.name].is_empty());
        let name = second_way_of(&case.name);
        if let Some(left) = third.get(&name).or(second.get(&name)) {
            report.add_second_way(case, left, twice.get(&name).unwrap_or(&once[&name]));
        }
    }
    println!("{}", report.summary());
    let errors = first.values().chain(second.values()).flatten();
    let texts = errors.flat_map(|error| std::iter::once(&error.message).chain(&error.notes));
    let unused = wording::unused(texts.map(String::as_str));
    assert_eq!(unused, [""; 0], "no error has these wordings");
    let share = report.share();
    assert!(report.problems.is_empty(), "{}\n{}", report.problems.join("\n\n"), report.summary());
    assert!(share >= LEAST, "only {share} % of the cases are good, of {LEAST} % at least");
}

/// How the advice of an error is chosen.
type Choice = fn(&Diagnostic) -> Vec<Edit>;

/// The programs with the advice of their errors.
fn advised(programs: &BTreeMap<String, String>, errors: &Errors, choice: Choice) -> BTreeMap<String, String> {
    programs.iter().map(|(name, source)| (name.clone(), apply(source, &errors[name], choice))).collect()
}

/// Once more the programs with an error that offers two ways, such as `remove .., or set ..`, with the second one.
fn second_ways(cases: &[Case], errors: &Errors) -> BTreeMap<String, String> {
    let offers =
        |case: &&Case| errors[&case.name].iter().any(|error| !wording::second_way(&error.message).is_empty());
    let choice: Choice = |error| match wording::second_way(&error.message) {
        none if none.is_empty() => edits(error),
        second => second,
    };
    let cases = cases.iter().filter(|case| case.kind == Kind::Compiles).filter(offers);
    cases.map(|case| (second_way_of(&case.name), apply(&case.source, &errors[&case.name], choice))).collect()
}

fn second_way_of(name: &str) -> String {
    format!("{name}_second_way")
}

fn still_wrong(programs: &BTreeMap<String, String>, errors: &Errors) -> BTreeMap<String, String> {
    programs
        .iter()
        .filter(|(name, _)| !errors[*name].is_empty())
        .map(|(n, s)| (n.clone(), s.clone()))
        .collect()
}

fn apply(source: &str, errors: &[Diagnostic], choice: Choice) -> String {
    let mut program = Program::new(source);
    let is_paste = |error: &&Diagnostic| matches!(edits(error).first(), Some(Edit::Paste(_)));
    let pastes = errors.iter().filter(is_paste);
    for error in pastes.chain(errors.iter().filter(|error| !is_paste(error))) {
        let edits = choice(error);
        if edits.is_empty() {
            program.suggest(error.suggestion.clone());
        }
        if let Some(at) = &error.span {
            for edit in edits {
                // An edit without a place is not made, and the error stays.
                let _ = program.edit(at, edit);
            }
        }
    }
    program.finish()
}

/// The edits that an error advises: its message, else its notes. A note about a router state counts for that state only.
fn edits(error: &Diagnostic) -> Vec<Edit> {
    let is_for_it =
        |note: &&String| match note.split_once(" the state `").and_then(|(_, rest)| rest.split_once('`')) {
            Some((state, _)) => error.message.contains(&format!("state `{state}`")),
            None => true,
        };
    let texts = std::iter::once(&error.message).chain(error.notes.iter().filter(is_for_it));
    texts.map(|text| wording::edits(text)).find(|edits| !edits.is_empty()).unwrap_or_default()
}

#[derive(Default)]
struct Report {
    cases: usize,
    rustc: usize,
    right: usize,
    compile: usize,
    two_rounds: usize,
    none: usize,
    second_ways: usize,
    /// Cases of the crate that begin right, and whose advice compiles or is the user's choice.
    good: usize,
    problems: Vec<String>,
    /// The cases whose first error points elsewhere.
    wrong: Vec<String>,
}

impl Report {
    fn add(
        &mut self,
        case: &Case,
        first: &[Diagnostic],
        left: &[Diagnostic],
        program: &str,
        two_rounds: bool,
    ) {
        let name = &case.name;
        let compiles = left.is_empty();
        self.cases += 1;
        match (case.kind, compiles) {
            (Kind::None | Kind::Rustc, true) => {
                self.problems
                    .push(format!("{name}: its advice compiles, so remove the line `// advice: ..`"));
            }
            (Kind::Compiles, false) => {
                self.problems
                    .push(format!("{name}: its advice does not compile:\n{}{program}", messages(left)));
            }
            // An error that says what to write must be gone, also where another one does not say it.
            (Kind::None, false)
                if left.iter().any(|error| !edits(error).is_empty() && is_in(error, first)) =>
            {
                self.problems
                    .push(format!("{name}: its advice was not enough:\n{}{program}", messages(left)));
            }
            _ => {}
        }
        if case.kind == Kind::Rustc {
            self.rustc += 1;
            return;
        }
        let found = first.first().map(|error| place(error, &case.source));
        let right = found.is_some() && found == case.first;
        self.right += usize::from(right);
        if !right {
            let text = |place: &Option<First>| place.as_ref().map_or("no place".to_owned(), First::to_string);
            let (found, expected) = (text(&found), text(&case.first));
            self.wrong
                .push(format!("{name}: the first error is at {found}, and the case expects {expected}"));
        }
        self.none += usize::from(case.kind == Kind::None);
        self.compile += usize::from(case.kind == Kind::Compiles && compiles);
        self.two_rounds += usize::from(compiles && two_rounds);
        self.good += usize::from(right && (compiles || case.kind == Kind::None));
    }

    fn add_second_way(&mut self, case: &Case, left: &[Diagnostic], program: &str) {
        self.second_ways += 1;
        if !left.is_empty() {
            let name = &case.name;
            self.problems
                .push(format!("{name}: its second way does not compile:\n{}{program}", messages(left)));
        }
    }

    /// The share of good cases.
    fn share(&self) -> usize {
        self.good * 100 / (self.cases - self.rustc)
    }

    fn summary(&self) -> String {
        let Self { cases, rustc, right, compile, two_rounds, none, second_ways, good, .. } = self;
        let own = cases - rustc;
        let share = |count: usize, of: usize| format!("{count} of {of} ({} %)", count * 100 / of);
        format!(
            "{}advice: {cases} cases, {rustc} of them rustc's or axum's own; of the other {own}: first error on the \
             right tokens {}, advice compiles {} ({two_rounds} in two rounds, {second_ways} in a second way too), choice of the user {none}; right and \
             compiles, or a choice: {}",
            self.wrong.iter().map(|line| format!("{line}\n")).collect::<String>(),
            share(*right, own),
            share(*compile, own - none),
            share(*good, own),
        )
    }
}

fn is_in(error: &Diagnostic, errors: &[Diagnostic]) -> bool {
    errors.iter().any(|other| other.message == error.message)
}

fn place(error: &Diagnostic, source: &str) -> First {
    let text = error.span.clone().map_or("", |span| &source[span]);
    // Of an error over several lines, the first counts.
    let text = text.lines().next().unwrap_or_default().to_owned();
    First { line: error.line, column: error.column, text }
}

fn messages(errors: &[Diagnostic]) -> String {
    errors.iter().map(|error| format!("  {}:{} {}\n", error.line, error.column, error.message)).collect()
}
