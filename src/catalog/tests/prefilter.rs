//! The fast way out leaves out only what the judge would answer with `None`: for every command line of the corpus, as
//! arguments and as a title, and for lines put together of the words that matter.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// What a record is without the fast way out.
fn judged(catalog: &Catalog, record: &ProcessRecord) -> Option<Identification> {
    let data = catalog.data.unwrap();
    let seen = Resolution::of(record);
    let judged = catalog.judge(data).resolved(&seen);
    plugins::script(data, record, &seen).or(judged)
}

fn corpus() -> Vec<Argv> {
    let argv = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        serde_json::from_value(line["argv"].clone()).unwrap()
    };
    include_str!("../../../tests/corpus/command-lines.jsonl").lines().map(argv).collect()
}

/// Names of the catalog, of tools, and pieces of the corpus.
fn vocabulary() -> Vec<String> {
    let data = &data::DATA;
    let known = data.heads.iter().chain(data.helper.browsers.iter().copied());
    let mut words: Vec<String> = known.map(str::to_owned).collect();
    for argv in corpus() {
        for word in argv.iter().map(to_text) {
            words.extend(word.split(['/', ' ', '=', '-', ':']).take(8).map(str::to_owned));
        }
    }
    let more = [
        "node",
        "python3.12",
        "npx",
        "bash",
        "-c",
        "exec",
        "--",
        "-m",
        "env",
        "mcp",
        "MCP",
        "serve",
        "chat",
        "claude",
        ".cursor-server",
        ".serena",
        "language_servers",
        "X.app",
        "Contents",
        "MacOS",
        "Helper",
        "(Renderer)",
        "--user-data-dir=/tmp/x",
        "--type=renderer",
        "node_modules",
        "@modelcontextprotocol",
        "versions",
        "Zed.app",
    ];
    words.extend(more.map(str::to_owned));
    words.sort();
    words.dedup();
    words
}

fn word() -> impl Strategy<Value = String> {
    let begin = select(vec!["", "", "", "/", "/usr/bin/", "-", "./", "@", "--"]);
    let between = select(vec!["/", "-", ".", " ", ": ", ":", "@", "_", "", " -"]);
    let pieces = proptest::collection::vec((select(vocabulary()), between), 1..4);
    (begin, pieces).prop_map(|(begin, pieces)| {
        let mut word = begin.to_owned();
        for (at, (piece, between)) in pieces.iter().enumerate() {
            word.push_str(if at > 0 { between } else { "" });
            word.push_str(piece);
        }
        word
    })
}

#[test]
fn no_line_of_the_corpus_is_left_out_that_is_anything() {
    let catalog = Catalog::builtin();
    let mut left_out = 0;
    for argv in corpus() {
        let title = argv.iter().map(to_text).collect::<Vec<_>>().join(" ");
        for argv in [argv, Argv::from([title.as_str()]), Argv::from([title.as_str(), "", ""])] {
            let mut record = hidden(None, "x");
            record.argv = Some(argv);
            if !catalog.may_identify(&record, &mut Names::default()) {
                left_out += 1;
                assert_eq!(judged(&catalog, &record), None, "{:?}", record.argv);
            }
        }
    }
    assert!(left_out > 15, "only {left_out} were left out: the way out is closed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_line_of_words_that_matter_is_left_out_that_is_anything(
        argv in proptest::collection::vec(word(), 1..5),
        exe in proptest::option::of(word()),
        comm in word(),
    ) {
        let catalog = Catalog::builtin();
        let mut record = hidden(exe.as_deref(), &comm);
        record.argv = Some(argv.iter().collect());
        if !catalog.may_identify(&record, &mut Names::default()) {
            prop_assert_eq!(judged(&catalog, &record), None, "{:?} {:?}", record.argv, exe);
        }
        record.argv = None;
        if !catalog.may_identify(&record, &mut Names::default()) {
            prop_assert_eq!(judged(&catalog, &record), None, "{:?} {:?}", comm, exe);
        }
    }

    #[test]
    fn each_distinct_line_has_one_judgement(argv in proptest::collection::vec(word(), 1..3)) {
        // What `roles` keeps for a command line holds for every process that shows it.
        let catalog = Catalog::builtin();
        let mut one = hidden(None, "x");
        one.argv = Some(argv.iter().collect());
        let mut other = ProcessRecord::new(Pid(4242), StartTime(9));
        (other.argv, other.comm) = (one.argv.clone(), one.comm.clone());
        other.uid = Some(crate::process::Uid(7));
        prop_assert_eq!(catalog.identify_and_resolve(&one), catalog.identify_and_resolve(&other));
    }
}
