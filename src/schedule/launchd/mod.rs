//! launchd: an agent in the person's graphical login session.

mod print;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::drift::Drift;
use super::error::ScheduleError;
use super::files::{Rendered, remove};
use super::job::{ARGUMENTS, Job};
use super::manager::{Manager, ManagerPresence, ManagerView, may, must, refused, same_file};
use super::report::{LastRun, RunResult};
use super::runner::Runner;
use super::seal::{self, sealed};
use super::user_environment::UserEnvironment;
use print::Printed;

const LABEL: &str = "com.mcp-reap";

/// How often launchd is queried while it removes an old job, every quarter of a second. `bootout` returns before the
/// job is gone, and a `bootstrap` that comes too early fails with `5: Input/output error` or `37: Operation already in
/// progress`.
const PATIENCE: u32 = 80;
const STEP: Duration = Duration::from_millis(250);

/// The launchd of the person's session.
pub(super) struct Launchd<'a> {
    runner: &'a dyn Runner,
    plist: PathBuf,
    logs: PathBuf,
    domain: String,
    target: String,
}

impl<'a> Launchd<'a> {
    pub(super) fn new(user: &UserEnvironment, runner: &'a dyn Runner) -> Launchd<'a> {
        let domain = format!("gui/{}", user.uid);
        Launchd {
            runner,
            plist: user.home.join("Library/LaunchAgents").join(format!("{LABEL}.plist")),
            logs: user.home.join("Library/Logs/mcp-reap"),
            target: format!("{domain}/{LABEL}"),
            domain,
        }
    }

    /// The job that launchd has loaded; `None` if it has none.
    fn printed(&self) -> Result<Option<Printed>, ScheduleError> {
        let output = may(self.runner, "launchctl", &["print", &self.target])?;
        Ok(output.is_success().then_some(Printed(output.stdout)))
    }

    fn bootout(&self) -> Result<(), ScheduleError> {
        if self.printed()?.is_none() {
            return Ok(());
        }
        let args = ["bootout", &self.target];
        let output = may(self.runner, "launchctl", &args)?;
        for _ in 0..PATIENCE {
            if self.printed()?.is_none() {
                return Ok(());
            }
            self.runner.pause(STEP);
        }
        let why = if output.is_success() { "the job is still there".to_owned() } else { output.complaint() };
        Err(refused("launchctl", &args, why))
    }
}

impl Manager for Launchd<'_> {
    fn presence(&self) -> ManagerPresence {
        match self.runner.run("launchctl", &["print", &self.domain]) {
            Ok(output) if output.is_success() => ManagerPresence::Here,
            Ok(_) => ManagerPresence::AtNextLogin,
            Err(error) => ManagerPresence::Absent(error.to_string()),
        }
    }

    fn paths(&self) -> Vec<PathBuf> {
        vec![self.plist.clone()]
    }

    fn can_run(&self, _: &str) -> bool {
        true
    }

    fn render(&self, job: &Job) -> Vec<Rendered> {
        vec![Rendered { path: self.plist.clone(), text: sealed(&agent(job, &self.logs)) }]
    }

    fn folders(&self) -> Vec<PathBuf> {
        // launchd opens the two log files, but does not create their folder.
        vec![self.logs.clone()]
    }

    fn see(&self, job: Option<&Job>) -> Result<ManagerView, ScheduleError> {
        let Some(printed) = self.printed()? else { return Ok(ManagerView::default()) };
        let mut drift = Vec::new();
        if let Some(path) = printed.field("path").filter(|path| !same_file(Path::new(path), &self.plist)) {
            drift.push(Drift::LoadedFromElsewhere { path: path.into() });
        }
        if let Some(job) = job {
            let binary = job.binary();
            let expected: Vec<&str> = std::iter::once(binary.as_str()).chain(ARGUMENTS).collect();
            if let Some(found) = printed.arguments().filter(|found| *found != expected) {
                drift.push(Drift::RunsOther { found: found.join(" ") });
            }
            let pair = |(name, value): (&String, &String)| format!("{name} => {value}");
            let expected: Vec<String> = job.environment.iter().map(pair).collect();
            if let Some(found) =
                printed.environment().filter(|found| !expected.iter().all(|pair| found.contains(&&**pair)))
            {
                drift.push(Drift::OtherSetting { what: "environment", found: found.join(", ") });
            }
            let patience = job.longest_stop().to_string();
            if let Some(found) = printed.field("exit timeout").filter(|found| *found != patience) {
                drift.push(Drift::OtherSetting { what: "exit timeout", found: found.to_owned() });
            }
            let mut expected = job.calendar.launchd();
            expected.sort_unstable();
            if let Some(found) = printed.calendar().filter(|found| *found != expected) {
                let found = found.iter().map(|(key, number)| format!("{key} {number}")).collect::<Vec<_>>();
                drift.push(Drift::OtherTime { found: found.join(", ") });
            }
        }
        let result = match (printed.field("state"), printed.field("last exit code")) {
            (Some("running"), _) => Some(RunResult::Running),
            (_, Some(code)) => RunResult::of_launchd(code),
            _ => None,
        };
        // launchd shows how a run ended, but not when.
        Ok(ManagerView {
            loaded: true,
            last: result.map(|result| LastRun { at: None, result }),
            drift,
            ..ManagerView::default()
        })
    }

    fn load(&self) -> Result<(), ScheduleError> {
        // An earlier `launchctl disable` stays in force without the file. If this call fails, the next one shows it.
        may(self.runner, "launchctl", &["enable", &self.target])?;
        self.bootout()?;
        let plist = self.plist.to_string_lossy();
        let args = ["bootstrap", &self.domain, &plist];
        for _ in 0..8 {
            if may(self.runner, "launchctl", &args)?.is_success() {
                return Ok(());
            }
            self.runner.pause(STEP);
        }
        must(self.runner, "launchctl", &args).map(drop)
    }

    fn unload(&self) -> Result<(), ScheduleError> {
        if let ManagerPresence::Absent(_) = self.presence() {
            return Ok(());
        }
        self.bootout()
    }

    fn forget(&self) -> Result<Vec<PathBuf>, ScheduleError> {
        // Only empty log files are removed. What a run has written belongs to the person.
        let logs = ["schedule.out.log", "schedule.err.log"].map(|name| self.logs.join(name));
        let mut removed = Vec::new();
        for log in logs {
            if fs::metadata(&log).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
                && remove(&log)?
            {
                removed.push(log);
            }
        }
        Ok(removed)
    }
}

/// The property list of the agent (launchd.plist(5)). `launchd/` in the repository has a copy.
fn agent(job: &Job, logs: &Path) -> String {
    let binary = job.binary();
    let strings = std::iter::once(binary.as_str()).chain(ARGUMENTS);
    let keys = job.calendar.launchd().into_iter();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!--
Written by `mcp-reap schedule install`, removed by `mcp-reap schedule uninstall`.
What is changed in here is left alone by both from then on.
{seal}-->
<plist version="1.0">
<dict>
	<key>Label</key>
	<string>com.mcp-reap</string>
	<key>ProgramArguments</key>
	<array>
{arguments}	</array>
{environment}	<key>StartCalendarInterval</key>
	<dict>
{calendar}	</dict>
	<!-- A run begins, ends and is not started again: no KeepAlive, no RunAtLoad. -->
	<key>ThrottleInterval</key>
	<integer>60</integer>
	<!-- Stopped (logout, shutdown), it finishes what it has begun and closes the audit log. -->
	<key>ExitTimeOut</key>
	<integer>{longest_stop}</integer>
	<!-- Behind everything the person is doing. -->
	<key>ProcessType</key>
	<string>Background</string>
	<key>LowPriorityIO</key>
	<true/>
	<!-- 077 -->
	<key>Umask</key>
	<integer>63</integer>
	<key>StandardOutPath</key>
	<string>{logs}/schedule.out.log</string>
	<key>StandardErrorPath</key>
	<string>{logs}/schedule.err.log</string>
</dict>
</plist>
"#,
        seal = seal::lines("", job),
        arguments =
            strings.map(|text| format!("\t\t<string>{}</string>\n", escaped(text))).collect::<String>(),
        environment = environment(job),
        calendar = keys
            .map(|(key, number)| format!("\t\t<key>{key}</key>\n\t\t<integer>{number}</integer>\n"))
            .collect::<String>(),
        longest_stop = job.longest_stop(),
        logs = escaped(&logs.to_string_lossy()),
    )
}

fn environment(job: &Job) -> String {
    if job.environment.is_empty() {
        return String::new();
    }
    let pair = |(name, value): (&String, &String)| {
        format!("\t\t<key>{}</key>\n\t\t<string>{}</string>\n", escaped(name), escaped(value))
    };
    let pairs: String = job.environment.iter().map(pair).collect();
    format!("\t<key>EnvironmentVariables</key>\n\t<dict>\n{pairs}\t</dict>\n")
}

/// Text of an XML element.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
