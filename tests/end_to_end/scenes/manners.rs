//! Whose yes ends what: a person's, or `--yes`; and what a person chose.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::look;
use crate::person::Person;
use crate::role::Actor;
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};

const NOW: &str = "--min-age 0s --grace 1s --color never";

pub(crate) fn without_a_terminal_it_shows_the_plan_and_ends_nothing(stage: &Stage) {
    stage.run(&["--min-age", "0s"]).exits(0);
    let cast = stage.orphan(&shapes::memory("m"));
    for args in [&["--min-age", "0s", "--grace", "1s"][..], &["--min-age", "0s", "--quiet"]] {
        let run = stage.run(args).exits(2);
        assert!(run.text().contains("server-memory"), "the plan: {}", run.text());
        assert!(run.complaint().contains("nothing was ended") && run.complaint().contains("--yes"));
    }
    let report = stage.run(&["--min-age", "0s", "--json"]).exits(2).json();
    assert_eq!(report.doomed().len(), cast.len());
    all_alive(&cast);
    assert!(stage.audit().0.is_empty(), "nothing happened that could be recorded");
    stage.run(&["--min-age", "0s", "--grace", "1s", "--yes"]).exits(0);
    all_dead(&cast);
}

pub(crate) fn a_stream_that_leads_elsewhere_leaves_nobody_to_ask(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    for elsewhere in ["> out", "2> out", "< /dev/null", "2>&1 | tee out; exit 2", "> out 2>&1"] {
        // A person's yes that nobody asked for is none.
        let mut person = Person::types(stage, "xterm", &format!("$reap {NOW} {elsewhere}"));
        person.presses("y\n");
        let (code, screen) = person.leaves();
        assert_eq!(code, 2, "{elsewhere}: {screen}");
        assert!(!screen.contains("[y/N]"), "{elsewhere}: {screen}");
        all_alive(&cast);
    }
    let mut person = Person::types(stage, "xterm", &format!("$reap {NOW}"));
    person.reads("End them? [y/N] ").presses("y\n");
    assert_eq!(person.leaves().0, 0);
    all_dead(&cast);
}

pub(crate) fn what_left_by_itself_after_the_yes_is_named(stage: &Stage) {
    let cast = stage.orphan(&shapes::node("n"));
    let mut person = Person::types(stage, "xterm", &format!("$reap {NOW}"));
    person.reads("End them? [y/N] ");
    stage.kill(cast[0]);
    person.presses("y\n");
    let (code, screen) = person.leaves();
    // The table may break the line.
    let words = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(code == 0 && words.contains("; ended by itself before any signal"), "{screen}");
    assert!(screen.contains("nothing to end; 1 instance ended by itself"), "{screen}");
    // Chosen by a person it is no less gone.
    let cast = stage.orphan(&shapes::python("p"));
    let mut person = Person::types(stage, "xterm", &format!("$reap kill {} {NOW}", cast[0].pid));
    person.reads("End them? [y/N] ");
    stage.kill(cast[0]);
    person.presses("y\n");
    let (code, screen) = person.leaves();
    assert!(code == 0 && screen.contains("1 instance ended by itself"), "{code}: {screen}");
}

pub(crate) fn where_all_that_was_chosen_stays_the_exit_code_is_1_with_and_without_a_terminal(stage: &Stage) {
    let cast = stage.orphan(&shapes::node("n"));
    // Too young.
    let line = format!("kill {} --grace 1s --color never", cast[0].pid);
    let args: Vec<&str> = line.split(' ').collect();
    let alone = stage.run(&args).exits(1);
    assert!(alone.complaint().contains("--min-age 0s"), "{}", alone.complaint());
    let json = stage.run(&[&args[..], &["--json"]].concat()).exits(1).json();
    assert!(json.must_have(cast[0]).0["withheld"].is_string());
    let (code, screen) = Person::types(stage, "xterm", &format!("$reap {line}")).leaves();
    assert!(code == 1 && !screen.contains("[y/N]"), "{code}: {screen}");
    all_alive(&cast);
    assert!(stage.audit().of("intent").is_empty());
}

pub(crate) fn what_the_second_look_leaves_out_has_an_outcome_in_json(stage: &Stage) {
    let (cast, control) = (stage.orphan(&shapes::memory("m")), stage.orphan(&shapes::python("p")));
    let running = stage.begin(&["--yes", "--json", "--min-age", "0s", "--grace", "1s"]);
    let looked =
        || std::fs::read_to_string(stage.audit_path()).is_ok_and(|text| text.contains("run-started"));
    look::until("the first look is over", || looked() || running.has_ended());
    // Without its root it is another instance: the rest of it is left to the next run.
    stage.kill(cast[0]);
    let report = running.finish().exits(0).json();
    let outcome = |who: look::Who| {
        let instance = report.must_have(who);
        let members = instance.0["members"].as_array().unwrap();
        members.iter().find(|member| member["pid"] == who.pid).unwrap()["outcome"].clone()
    };
    let outcomes: Vec<_> = cast.iter().chain(&control).map(|who| outcome(*who)).collect();
    assert_eq!(outcomes, ["vanished", "withheld", "withheld", "exited"]);
    all_alive(&cast[1..]);
    all_dead(&control);
}

pub(crate) fn a_young_orphan_comes_with_the_time_to_come_back(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let said = stage.run(&["--dry-run"]).exits(0);
    assert!(said.text().contains("left alone: younger than min_age"), "{}", said.text());
    assert!(said.complaint().contains("1 orphaned, younger than 1m: run again in "), "{}", said.complaint());
    assert!(said.complaint().contains("or with --min-age 0s"));
    let said = stage.run(&["--dry-run", "--min-age", "0s"]).exits(0).complaint();
    assert!(said.contains("this was a dry run"), "{said}");
    all_alive(&cast);
}

pub(crate) fn a_chosen_server_that_is_in_use_needs_more_than_a_yes_of_nobody(stage: &Stage) {
    let client = stage.client("claude", [shapes::node("n"), shapes::memory("m")]);
    let (chosen, pid) = (stage.cast(&shapes::memory("m")), stage.who("m.node").pid.to_string());
    let kill =
        |more: &[&str]| stage.run(&[&["kill", &pid, "--min-age", "0s", "--grace", "1s"], more].concat());
    // There is nothing to ask about, so a missing terminal is not what is wrong.
    for refused in [kill(&[]).exits(1), kill(&["--yes"]).exits(1)] {
        assert!(refused.text().contains("server-memory"), "{}", refused.text());
        let said = refused.complaint();
        assert!(said.contains("--in-use") && !said.contains("terminal"), "{said}");
    }
    assert!(kill(&["--in-use"]).exits(2).complaint().contains("--yes"), "--in-use is no yes");
    assert!(kill(&["--in-use", "--dry-run"]).exits(0).text().contains("server-memory"));
    all_alive(&chosen);
    // Any process of it means the whole instance.
    kill(&["--yes", "--in-use"]).exits(0);
    all_dead(&chosen);
    stage.ping(&client, "n");
    let audit = stage.audit();
    audit.is_sound();
    let intents = audit.about("intent", chosen[0]);
    assert_eq!(intents[0]["verdict"], "in-use");
    assert!(intents[0]["reason"].as_str().unwrap().starts_with("chosen by a person; "), "{}", intents[0]);
}

pub(crate) fn what_is_allowed_a_client_or_a_stranger_cannot_be_chosen(stage: &Stage) {
    let client = stage.client("claude", [shapes::node("n")]);
    let other = stage.client("shell", [shapes::bystander("b")]);
    let server = stage.who("n");
    for pid in [client.who.pid, stage.who("b").pid, other.who.pid, 1, 4_000_000] {
        let run = stage.run(&["kill", &pid.to_string(), "--yes", "--in-use", "--min-age", "0s"]).exits(2);
        assert!(!run.complaint().trim().is_empty());
    }
    let pid = server.pid.to_string();
    let young = stage.run(&["kill", &pid, "--yes", "--in-use"]).exits(1);
    assert!(young.complaint().contains("--min-age 0s"), "{}", young.complaint());
    let allowed = ["kill", &pid, "--yes", "--in-use", "--min-age", "0s", "--allow", "*server-filesystem*"];
    stage.run(&allowed).exits(1);
    all_alive(&[client.who, server, stage.who("b"), other.who]);
    assert!(stage.audit().of("intent").is_empty());
    // By its name, with the same words but the rule.
    stage.run(&["kill", "*filesystem*", "--yes", "--in-use", "--min-age", "0s", "--grace", "1s"]).exits(0);
    all_dead(&[server]);
}

pub(crate) fn a_person_is_told_what_is_in_use_before_the_yes(stage: &Stage) {
    stage.client("claude", [shapes::node("n")]);
    let server = stage.who("n");
    for (answer, code, lives) in [("n\n", 0, true), ("\n", 0, true), ("y\n", 0, false)] {
        let mut person = Person::types(stage, "xterm", &format!("$reap kill {} {NOW}", server.pid));
        person.reads("in use").reads("End them? [y/N] ");
        assert!(server.is_alive());
        person.presses(answer);
        let (ended, screen) = person.leaves();
        assert_eq!((ended, server.is_alive()), (code, lives), "{answer:?}: {screen}");
    }
}

/// Two orphans, the larger on top, and a server in use.
fn three(stage: &Stage) -> [Vec<crate::look::Who>; 3] {
    let python = || shapes::python("p");
    let (memory, fetch): (Vec<_>, Vec<_>) = (stage.orphan(&shapes::memory("m")), stage.orphan(&python()));
    stage.client("claude", [shapes::node("n")]);
    [memory, fetch, vec![stage.who("n")]]
}

pub(crate) fn a_person_picks_from_a_list(stage: &Stage) {
    let [memory, fetch, used] = three(stage);
    let mut person = Person::types(stage, "xterm", &format!("$reap -i {NOW}"));
    person.reads("2 of 3 instances marked, would free ").reads("VERDICT ").reads("q: leave");
    assert_eq!(person.seen.matches("[x] orphaned").count(), 2, "{}", person.seen);
    assert!(person.seen.contains("[ ] in-use"), "{}", person.seen);
    person.presses("q");
    let (code, screen) = person.leaves();
    assert!(code == 0 && screen.contains("nothing was ended"), "{screen}");
    all_alive(&[memory.clone(), fetch.clone(), used.clone()].concat());
    // The one under the cursor loses its mark.
    let mut person = Person::types(stage, "xterm", &format!("$reap -i {NOW}"));
    person.reads("2 of 3 instances marked").presses(" ").reads("1 of 3 instances marked").presses("\r");
    let (code, screen) = person.leaves();
    assert_eq!(code, 0, "{screen}");
    assert!(screen.contains("1 instance, "), "{screen}");
    let dead = [&memory, &fetch].into_iter().filter(|cast| cast.iter().all(|who| !who.is_alive())).count();
    assert_eq!(dead, 1, "{screen}");
    all_alive(&used);
    stage.audit().is_sound();
}

pub(crate) fn a_terminal_gets_the_colors_of_a_message_and_none_that_were_typed(stage: &Stage) {
    let screen_of = |word: &str| {
        let person = Person::types(stage, "xterm", &format!("$reap --min-age \"$(printf '{word}')\""));
        let (code, screen) = person.leaves();
        assert!(code == 2 && screen.contains("invalid value"), "{screen}");
        screen
    };
    assert!(screen_of("red").contains("\u{1b}["), "a plain mistake is in colour");
    let typed = screen_of("\\033[35mred\\007");
    assert!(!typed.contains(['\u{1b}', '\u{7}']), "{typed:?}");
}

pub(crate) fn a_signal_that_ends_the_list_is_the_exit_code(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let signals = [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGQUIT, Signal::SIGINT];
    for signal in signals.map(Some).into_iter().chain([None]) {
        let mut person = Person::types(stage, "xterm", &format!("$reap -i {NOW}"));
        person.reads("q: leave");
        let list = look::everyone().into_iter().rfind(|process| process.comm == "mcp-reap");
        let list = list.expect("the list is shown").who;
        // What comes before the list waits for a key interrupts nothing, so it is sent until the list has gone.
        look::until("the list was left", || {
            match signal {
                _ if !list.is_alive() => return true,
                Some(signal) => drop(kill(Pid::from_raw(list.pid as i32), signal)),
                None => drop(person.presses("\u{3}")),
            }
            false
        });
        assert_eq!(person.leaves().0, 128 + signal.unwrap_or(Signal::SIGINT) as i32, "{signal:?}");
    }
    all_alive(&cast);
}

pub(crate) fn what_is_in_use_is_asked_about_after_it_was_picked(stage: &Stage) {
    let [memory, fetch, used] = three(stage);
    // Ctrl-C leaves the question too, although the list before it caught signals.
    for (keys, code) in [("n\n", 0), ("\u{3}", 130)] {
        let mut person = Person::types(stage, "xterm", &format!("$reap -i {NOW}"));
        // The end of the list is as far as the cursor goes.
        person.reads("q: leave").presses("jjjjj ").reads("3 of 3 instances marked").presses("\r");
        person.reads("1 of them is in use").reads("[y/N] ").presses(keys);
        assert_eq!(person.leaves().0, code);
    }
    all_alive(&[memory, fetch, used].concat());
}

pub(crate) fn a_terminal_without_a_cursor_gets_numbers(stage: &Stage) {
    let [memory, fetch, used] = three(stage);
    let mut person = Person::types(stage, "dumb", &format!("$reap -i {NOW}"));
    person.reads("VERDICT ").reads("1 [x] orphaned").reads("3 [ ] in-use").reads("Which? ").presses("9\n");
    person.reads("is no number of the list").reads("Which? ").presses("\n");
    let (code, screen) = person.leaves();
    assert_eq!(code, 0, "{screen}");
    all_dead(&[memory, fetch].concat());
    all_alive(&used);
}

pub(crate) fn without_a_terminal_a_choice_says_what_to_do_instead(stage: &Stage) {
    let nothing = stage.run(&["-i", "--min-age", "0s"]).exits(2).complaint();
    assert!(nothing.contains("-i needs a terminal") && !nothing.contains("instead of -i"), "{nothing}");
    let cast = stage.orphan(&shapes::node("n"));
    let run = stage.run(&["-i", "--min-age", "0s"]).exits(2);
    assert!(run.text().contains("server-filesystem"), "the plan: {}", run.text());
    let said = run.complaint();
    assert!(
        said.contains("-i needs a terminal") && said.contains("--yes instead of -i ends this one"),
        "{said}"
    );
    assert!(said.contains("`mcp-reap kill PID|NAME --yes`") && !said.contains("dry"), "{said}");
    all_alive(&cast);
}

pub(crate) fn a_window_of_three_lines_is_enough_to_choose_in(stage: &Stage) {
    let [memory, fetch, used] = three(stage);
    let mut person = Person::types(stage, "xterm", &format!("stty rows 3 columns 60; $reap -i {NOW}"));
    // The cursor goes to the second row, which loses its mark, and every row that it is on is shown.
    person.reads("2 of 3 instances marked").reads("> [x] orphaned").presses("j").reads("> [x] orphaned");
    person.presses("j").reads("> [ ] in-use").presses("k").reads("> [x] orphaned").presses(" ");
    person.reads("1 of 3 instances marked").reads("> [ ] orphaned").presses("\r");
    let (code, screen) = person.leaves();
    assert_eq!(code, 0, "{screen}");
    let dead = [&memory, &fetch].into_iter().filter(|cast| cast.iter().all(|who| !who.is_alive())).count();
    assert_eq!(dead, 1, "{screen}");
    all_alive(&used);
}

pub(crate) fn q_leaves_the_watch_and_the_terminal_is_as_before(stage: &Stage) {
    stage.client("claude", [shapes::node("n")] as [Actor; 1]);
    let line = "stty -a > before; $reap list --watch --color never; code=$?; stty -a > after; exit $code";
    let mut person = Person::types(stage, "xterm", line);
    person.reads("in-use").reads("nothing to end").presses("q");
    assert_eq!(person.leaves().0, 0);
    let read = |name| std::fs::read_to_string(stage.home().join(name)).unwrap();
    assert_eq!(read("before"), read("after"));
}
