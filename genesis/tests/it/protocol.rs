//! `docs/protocol.md` against the code: every rule has tests, every test that the table names
//! exists, every rule that the code names is one, and says what the code quotes of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Where the table's places are.
const PLACES: [(&str, &str); 6] = [
    ("genesis", "genesis/tests/it"),
    ("genesis/src", "genesis/src"),
    ("vm", "vm/tests/machine"),
    ("vm/src", "vm/src"),
    ("node", "node/tests/functional"),
    ("node/src", "node/src"),
];

const CRATES: [&str; 5] = ["genesis", "vm", "miner", "wallet", "node"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn protocol() -> String {
    read(&root().join("docs/protocol.md"))
}

/// The rules, in the order of the document.
fn rules(document: &str) -> Vec<&str> {
    let bullets = document
        .lines()
        .filter_map(|line| line.strip_prefix("- **R-"));
    let numbers = bullets.map(|rest| rest.split("**").next().unwrap());
    numbers.collect()
}

/// The rows of the last table: rule, what accepts, what rejects.
fn rows(document: &str) -> Vec<[&str; 3]> {
    let rows = document
        .lines()
        .filter_map(|line| line.strip_prefix("| R-"));
    let cells = rows.map(|row| {
        let cells: Vec<_> = row
            .trim_end_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        <[&str; 3]>::try_from(cells).unwrap_or_else(|cells| panic!("a row of {cells:?}"))
    });
    cells.collect()
}

/// A cell without its remarks, which stand in parentheses.
fn without_remarks(cell: &str) -> String {
    let mut depth = 0;
    let outside = cell.chars().filter(|letter| {
        depth += i32::from(*letter == '(');
        let is_outside = depth == 0;
        depth -= i32::from(*letter == ')');
        is_outside
    });
    outside.collect()
}

/// A file of tests and the names in it that a cell gives.
struct Reference {
    file: PathBuf,
    names: Vec<String>,
}

/// `place: file \`name\`, \`name\`; file \`name\`; …`: place and file hold until another is named.
fn references(cell: &str) -> Vec<Reference> {
    let mut place = None;
    let mut file = String::new();
    let cell = without_remarks(cell);
    let parts = cell.split(';').map(|part| {
        let mut rest = part.trim();
        if let Some((name, after)) = rest.split_once(": ") {
            place = PLACES.iter().find(|(known, _)| *known == name);
            assert!(place.is_some(), "`{name}` is no place: {part}");
            rest = after;
        }
        let mut pieces = rest.split('`');
        let word = pieces.next().unwrap_or_default().trim();
        if !word.is_empty() {
            file = word.to_owned();
        }
        let names = pieces.step_by(2).map(str::to_owned).collect();
        let (_, directory) = place.unwrap_or_else(|| panic!("no place: {part}"));
        let file = root().join(directory).join(&file).with_extension("rs");
        Reference { file, names }
    });
    parts.collect()
}

/// Whether `name` is what `pattern` says, in which `…` and `*` stand for any letters.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern = pattern.replace('*', "…");
    let mut pieces = pattern.split('…');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    let mut is_open = false;
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
        is_open = piece.is_empty();
    }
    is_open || rest.is_empty()
}

/// Names of the functions in a source file.
fn functions(source: &str) -> Vec<&str> {
    let lines = source.lines().map(str::trim_start);
    let signatures = lines.filter_map(|line| line.strip_prefix("fn "));
    signatures
        .filter_map(|rest| rest.split('(').next())
        .collect()
}

#[test]
fn every_rule_has_a_row_and_no_cell_is_empty() {
    let document = protocol();
    let rules = rules(&document);
    assert!(rules.len() > 90, "only {} rules were found", rules.len());
    let rows = rows(&document);
    let in_table: Vec<_> = rows.iter().map(|[rule, ..]| *rule).collect();
    assert_eq!(in_table, rules, "the table lists the rules in their order");
    for [rule, accepts, rejects] in rows {
        assert!(
            !without_remarks(accepts).is_empty(),
            "R-{rule}: nothing accepts"
        );
        assert!(
            !without_remarks(rejects).is_empty(),
            "R-{rule}: nothing rejects"
        );
    }
}

#[test]
fn every_test_that_the_table_names_exists() {
    let document = protocol();
    for [rule, accepts, rejects] in rows(&document) {
        for reference in [accepts, rejects].into_iter().flat_map(references) {
            let source = read(&reference.file);
            assert!(
                source.contains("#[test]"),
                "R-{rule}: {} has no test",
                reference.file.display()
            );
            let functions = functions(&source);
            for pattern in reference.names {
                let found = functions.iter().any(|name| matches(&pattern, name));
                let file = reference.file.display();
                assert!(found, "R-{rule}: there is no `{pattern}` in {file}");
            }
        }
    }
}

/// Numbers of rules in a text, such as `TX-5` in "R-TX-5".
fn named(text: &str) -> impl Iterator<Item = String> {
    text.match_indices("R-").filter_map(|(at, found)| {
        if text[..at].ends_with(|letter: char| letter.is_ascii_alphanumeric()) {
            return None;
        }
        let (group, rest) = text[at + found.len()..].split_once('-')?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let is_group = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_uppercase());
        (is_group && !digits.is_empty()).then(|| format!("{group}-{digits}"))
    })
}

fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_rule_that_the_code_names_is_in_the_protocol() {
    let document = protocol();
    let rules: BTreeSet<_> = rules(&document).into_iter().map(str::to_owned).collect();
    let mut files = Vec::new();
    for crate_name in CRATES {
        sources(&root().join(crate_name).join("src"), &mut files);
    }
    let mut count = 0;
    for file in files {
        for rule in named(&read(&file)) {
            assert!(
                rules.contains(&rule),
                "{}: there is no R-{rule}",
                file.display()
            );
            count += 1;
        }
    }
    assert!(count > 50, "the code names only {count} rules");
}

/// The text of each rule.
fn texts(document: &str) -> BTreeMap<&str, String> {
    let (rules, _) = document.split_once("\n## Tests").unwrap();
    let bullets = rules.split("\n- **R-").skip(1);
    let texts = bullets.map(|bullet| {
        let (rule, rest) = bullet.split_once("** ").unwrap();
        let text = rest.split("\n#").next().unwrap_or_default();
        (rule, plain(text))
    });
    texts.collect()
}

/// Words alone: without marks, ends of lines and capitals.
fn plain(text: &str) -> String {
    let text = text.replace(['`', '*'], "").to_lowercase();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What comments quote: in `R-TX-5: "words"` the rule `TX-5` and the words.
fn quotes(source: &str) -> Vec<(String, String)> {
    let lines = source.lines().map(str::trim_start);
    let lines = lines.map(|line| line.trim_start_matches(['/', '!']));
    let text = lines.collect::<Vec<_>>().join(" ");
    let quotes = text.match_indices(": \"").filter_map(|(at, found)| {
        let word = text[..at].rsplit([' ', '(']).next()?;
        let rule = named(word)
            .next()
            .filter(|rule| word == format!("R-{rule}"))?;
        let (quote, _) = text[at + found.len()..].split_once('"')?;
        Some((rule, plain(quote).trim_end_matches('.').to_owned()))
    });
    quotes.collect()
}

#[test]
fn what_the_code_quotes_of_a_rule_is_what_the_rule_says() {
    let document = protocol();
    let texts = texts(&document);
    let mut files = Vec::new();
    for crate_name in CRATES {
        sources(&root().join(crate_name).join("src"), &mut files);
    }
    let mut count = 0;
    for file in files {
        for (rule, quote) in quotes(&read(&file)) {
            let says = texts.get(&*rule).is_some_and(|text| text.contains(&quote));
            let file = file.display();
            assert!(says, "{file}: R-{rule} does not say \"{quote}\"");
            count += 1;
        }
    }
    assert!(count > 40, "the code quotes only {count} rules");
}

#[test]
fn the_readers_of_quotes_read_them_right() {
    let source = "    // R-A-1: \"Of two\n    // `lines`.\" More (R-B-2: \"x\"), R-C: \"no\"\n";
    let expected = [("A-1", "of two lines"), ("B-2", "x")];
    let read = quotes(source);
    let read = read
        .iter()
        .map(|(rule, quote)| (rule.as_str(), quote.as_str()));
    assert_eq!(read.collect::<Vec<_>>(), expected);
    let document =
        "x\n- **R-A-1** Of *two*\n  lines.\n\n## B\n- **R-B-2** x\n\n## Tests\n- **R-C-3** y";
    let expected = [("A-1", "of two lines.".to_owned()), ("B-2", "x".to_owned())];
    assert_eq!(texts(document), BTreeMap::from(expected));
}

#[test]
fn the_readers_of_the_table_read_it_right() {
    assert!(matches("r_dif_1_…", "r_dif_1_compact") && matches("*_survive", "blocks_survive"));
    assert!(matches("tries", "tries") && !matches("tries", "tries_too"));
    assert!(!matches("r_dif_1_…", "r_dif_2_compact") && !matches("*_survive", "survivors"));
    let found: Vec<_> = named("R-TX-5, R-EXE, R-HDR-12: \"x\"; R-x-1; ARR-TX-6").collect();
    assert_eq!(found, ["TX-5", "HDR-12"]);
    let cell = "genesis: blocks `a`, `b…` (a remark; with `c`); `d`; vm/src: phases/refund";
    let read = references(cell);
    let names: Vec<_> = read
        .iter()
        .map(|reference| reference.names.join(" "))
        .collect();
    assert_eq!(names, ["a b…", "d", ""]);
    assert!(read[1].file.ends_with("genesis/tests/it/blocks.rs"));
    assert!(read[2].file.ends_with("vm/src/phases/refund.rs"));
    assert_eq!(rows("| R-A-1 |  | x |\n"), [["A-1", "", "x"]]);
    assert_eq!(rules("- **R-A-1** x\n- R-B-2\n"), ["A-1"]);
}
