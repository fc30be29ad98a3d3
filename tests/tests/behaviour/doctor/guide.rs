//! The page `doctor` of the guide lists every code, with its severity, and what the program shows.

use auth_proxy::doctor::CODES;

const GUIDE: &str = include_str!("../../../../auth-proxy/docs/guide/doctor.md");

#[test]
fn guide_lists_every_code_with_its_severity_and_summary() {
    let rows: Vec<(String, String, String)> = GUIDE
        .lines()
        .filter_map(|line| {
            let cells: Vec<_> = line.strip_prefix("| `")?.split(" | ").collect();
            let code = cells[0].strip_suffix('`')?;
            let severity = cells.get(1)?;
            matches!(*severity, "error" | "warning").then(|| {
                (code.to_owned(), (*severity).to_owned(), cells[2].trim_end_matches(" |").to_owned())
            })
        })
        .collect();
    let expected: Vec<_> = CODES
        .iter()
        .map(|code| (code.name.to_owned(), code.severity.name().to_owned(), code.summary.to_owned()))
        .collect();
    assert_eq!(rows, expected);
}
