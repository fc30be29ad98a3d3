//! Reads the output of callgrind (<https://valgrind.org/docs/manual/cl-format.html>).

use std::collections::{BTreeMap, HashMap};

use super::names;

/// Instructions by phase.
#[derive(Debug, Default)]
pub(crate) struct Profile(BTreeMap<&'static str, u64>);

impl Profile {
    /// Reads the text of a profile. The instructions of the standard library count for the function into which they were
    /// inlined.
    pub(crate) fn parse(text: &str) -> Self {
        let (mut names, mut profile) = (Names::default(), Self::default());
        // The file of the function, the file of the line (other code may be inlined there), and the function.
        let (mut file, mut line_file, mut function) = (String::new(), String::new(), String::new());
        let mut is_call = false;
        for line in text.lines() {
            if let Some((key, value)) = line.split_once('=') {
                match key {
                    "fl" => {
                        file = names.file(value);
                        line_file.clone_from(&file);
                    }
                    "fi" | "fe" => line_file = names.file(value),
                    "fn" => function = names.function(value),
                    // Names of called functions define numbers too.
                    "cfi" | "cfl" => drop(names.file(value)),
                    "cfn" => drop(names.function(value)),
                    "calls" => is_call = true,
                    _ => {}
                }
            } else if let Some((position, cost)) = line.split_once(' ')
                // `totals: 163`
                && !position.ends_with(':')
                && let Ok(cost) = cost.parse::<u64>()
            {
                // After `calls=` comes what the called function costs, which is counted there.
                if !std::mem::take(&mut is_call) {
                    *profile.0.entry(phase(&file, &line_file, &function)).or_default() += cost;
                }
            }
        }
        profile
    }

    /// What each of `requests` costs, from this profile and one of a run without them.
    pub(crate) fn each(&self, without: &Self, requests: u32) -> BTreeMap<&'static str, f64> {
        #[expect(clippy::cast_precision_loss, reason = "the numbers have fewer than 52 bits")]
        let of = |profile: &Self, phase: &str| profile.0.get(phase).copied().unwrap_or_default() as f64;
        let each = |phase: &str| (of(self, phase) - of(without, phase)) / f64::from(requests);
        self.0.keys().map(|phase| (*phase, each(phase))).collect()
    }
}

fn phase(file: &str, line_file: &str, function: &str) -> &'static str {
    let named = if names::is_std(line_file) { file } else { line_file };
    names::of_file(named).or_else(|| names::of_file(file)).unwrap_or_else(|| names::of_function(function))
}

/// Callgrind writes a name once, with a number, and then the number alone.
#[derive(Default)]
struct Names {
    files: HashMap<String, String>,
    functions: HashMap<String, String>,
}

impl Names {
    fn file(&mut self, text: &str) -> String {
        name(&mut self.files, text)
    }

    fn function(&mut self, text: &str) -> String {
        name(&mut self.functions, text)
    }
}

fn name(known: &mut HashMap<String, String>, text: &str) -> String {
    match text.split_once(' ') {
        Some((number, name)) => {
            known.insert(number.to_owned(), name.to_owned());
            name.to_owned()
        }
        None => known.get(text).cloned().unwrap_or_else(|| text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
events: Ir
fl=(1) /project/auth-proxy/src/proxy/plan.rs
fn=(1) of
10 100
fi=(2) /rustc/1/library/core/src/str/mod.rs
11 5
fe=(3) /registry/http-1.5.0/src/uri/mod.rs
12 7
cfi=(4) /registry/hyper-1.12.0/src/lib.rs
cfn=(2) poll
calls=1 3
12 999
fl=(4)
fn=(2)
3 40
+1 2
fl=(5) ???
fn=(3) malloc
0 9
summary: 163
";

    #[test]
    fn costs_are_counted_for_the_file_of_the_line() {
        let profile = Profile::parse(TEXT);
        let found: Vec<_> = profile.0.into_iter().collect();
        assert_eq!(found, [("HTTP/1", 42), ("allocation", 9), ("header map and URI", 7), ("plan", 105)]);
    }

    #[test]
    fn profile_without_requests_is_subtracted() {
        let (more, less) =
            (Profile(BTreeMap::from([("plan", 300)])), Profile(BTreeMap::from([("plan", 100)])));
        assert_eq!(more.each(&less, 4), BTreeMap::from([("plan", 50.0)]));
    }
}
