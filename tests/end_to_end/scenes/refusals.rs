//! What is not certain, not readable or not recordable ends nobody: exit code 2.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use nix::mount::{MsFlags, mount};

use crate::look::Who;
use crate::run::Run;
use crate::shapes;
use crate::stage::{Stage, all_alive, all_dead};

/// An orphan that would go, and the proof that it would once the obstacle is away.
fn refuses(stage: &Stage, obstacle: impl FnOnce(), clear: impl FnOnce()) -> Run {
    let cast = stage.orphan(&shapes::memory("m"));
    obstacle();
    let run = stage.run(&["--yes", "--min-age", "0s", "--grace", "1s"]).exits(2);
    all_alive(&cast);
    assert!(!run.complaint().trim().is_empty(), "it says why");
    clear();
    stage.reap();
    all_dead(&cast);
    run
}

pub(crate) fn a_broken_configuration_ends_nobody(stage: &Stage) {
    // A stray comma in the allowlist must not mean "allow nothing".
    let broken = || stage.configure("[[allow]]\nname = \"server-memory\",\n");
    let run = refuses(stage, broken, || stage.configure(""));
    let said = run.complaint();
    assert!(said.contains("config.toml"), "{said}");
    assert!(said.contains('2'), "the line: {said}");
}

pub(crate) fn an_unknown_key_ends_nobody(stage: &Stage) {
    let run = refuses(stage, || stage.configure("[reap]\nmin-age = \"24h\"\n"), || stage.configure(""));
    assert!(run.complaint().contains("min-age"), "{}", run.complaint());
}

pub(crate) fn a_configuration_that_others_can_write_ends_nobody(stage: &Stage) {
    let path = stage.home().join(".config/mcp-reap/config.toml");
    let open = || {
        stage.configure("[reap]\ngrace = \"1s\"\n");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    };
    let close = || fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    refuses(stage, open, close);
}

pub(crate) fn without_an_audit_folder_nobody_is_ended(stage: &Stage) {
    // A file stands where the folder has to be.
    let block = || fs::write(stage.state_dir(), "in the way").unwrap();
    refuses(stage, block, || fs::remove_file(stage.state_dir()).unwrap());
}

pub(crate) fn a_read_only_disk_ends_nobody(stage: &Stage) {
    let (state, none) = (stage.state_dir(), None::<&str>);
    let freeze = || {
        fs::create_dir_all(&state).unwrap();
        mount(Some("tmpfs"), &state, Some("tmpfs"), MsFlags::MS_RDONLY, none).unwrap();
    };
    refuses(stage, freeze, || nix::mount::umount(&state).unwrap());
}

pub(crate) fn an_audit_log_that_is_a_link_ends_nobody(stage: &Stage) {
    let elsewhere = stage.dir.join("elsewhere");
    let link = || {
        fs::create_dir_all(stage.state_dir()).unwrap();
        fs::set_permissions(stage.state_dir(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&elsewhere, "").unwrap();
        symlink(&elsewhere, stage.audit_path()).unwrap();
    };
    refuses(stage, link, || fs::remove_file(stage.audit_path()).unwrap());
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "");
}

pub(crate) fn a_full_disk_ends_nobody_unrecorded(stage: &Stage) {
    // One page for the log: the run begins, and then the intents of many do not fit.
    let actors: Vec<_> = (0..40).map(|i| shapes::node(&format!("n{i}"))).collect();
    let client = stage.client("doomed", actors.clone());
    let cast: Vec<Who> = actors.iter().flat_map(|a| stage.cast(a)).collect();
    stage.kill_client(&client);
    fs::create_dir_all(stage.state_dir()).unwrap();
    mount(Some("tmpfs"), &stage.state_dir(), Some("tmpfs"), MsFlags::empty(), Some("size=4096,mode=700"))
        .unwrap();
    let run = stage.run(&["--yes", "--min-age", "0s", "--grace", "1s"]);
    assert_ne!(run.code, 0, "it could not do what it was asked");
    let log = fs::read_to_string(stage.audit_path()).unwrap_or_default();
    // The last line may be torn: the disk ended there. It records nothing, so it permits nothing.
    let whole: Vec<serde_json::Value> = log.lines().filter_map(|l| serde_json::from_str(l).ok()).collect();
    for who in cast.iter().filter(|w| !w.is_alive()) {
        let meant = whole.iter().any(|l| l["event"] == "intent" && l["pid"] == who.pid);
        assert!(meant, "{who:?} was ended and nothing tells of it");
    }
    assert!(cast.iter().any(|w| w.is_alive()), "the log was too small for all of them");
}

pub(crate) fn the_doctor_finds_a_full_disk_and_a_read_only_one_and_leaves_nothing_there(stage: &Stage) {
    let audit_log = |code: i32| {
        let report: serde_json::Value =
            serde_json::from_str(&stage.run(&["doctor", "--json"]).exits(code).text()).unwrap();
        let lines = report["looked_at"].as_array().unwrap();
        lines.iter().find(|line| line["what"] == "audit log").unwrap().clone()
    };
    assert_eq!(audit_log(0)["state"], "fine");
    let state = stage.state_dir();
    let above = state.parent().unwrap().to_owned();
    for (flags, options, said) in [
        (MsFlags::MS_RDONLY, "mode=700", "Read-only file system"),
        (MsFlags::empty(), "size=4096,mode=700", "No space left on device"),
        (MsFlags::empty(), "nr_inodes=1,mode=700", "No space left on device"),
    ] {
        // With the folder there, and where the first run would make it.
        for folder in [&state, &above] {
            fs::create_dir_all(folder).unwrap();
            mount(Some("tmpfs"), folder, Some("tmpfs"), flags, Some(options)).unwrap();
            let line = audit_log(1);
            assert_eq!(line["state"], "broken", "{options}: {line}");
            assert!(line["found"].as_str().unwrap().contains(said), "{options}: {line}");
            assert!(line["mend"].as_str().unwrap().contains("nothing is ended"), "{line}");
            assert_eq!(fs::read_dir(folder).unwrap().count(), 0, "{options}: it leaves nothing");
            nix::mount::umount(folder).unwrap();
        }
    }
    assert_eq!(audit_log(0)["state"], "fine");
}

pub(crate) fn a_recorded_table_can_never_reap(stage: &Stage) {
    let cast = stage.orphan(&shapes::memory("m"));
    let table = stage.dir.join("table.json");
    stage.run(&["record", "-o", table.to_str().unwrap()]).exits(0);
    stage.run(&["--yes", "--min-age", "0s", "--snapshot", table.to_str().unwrap()]).exits(2);
    all_alive(&cast);
    assert!(stage.audit().0.is_empty());
}
