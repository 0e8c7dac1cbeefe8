//! A simulated `launchctl`: it takes up what `bootstrap` names and prints that until `bootout`, which
//! takes a while, as with the real one. What it prints has the form of macOS 15.

use std::path::Path;

use mcp_reap::schedule::{Output, UserEnvironment};
use plist::Value;

use crate::home::{SimulatedManager, failed, success};

pub(crate) struct Launchctl {
    domain: String,
    /// Somebody is logged in at the screen.
    pub(crate) logged_in: bool,
    pub(crate) loaded: Option<(String, Value)>,
    pub(crate) disabled: bool,
    /// How many questions a job survives its `bootout`.
    pub(crate) slow: u32,
    leaving: Option<u32>,
    /// How many `bootstrap`s fail first.
    pub(crate) not_yet: u32,
    pub(crate) last_exit: &'static str,
}

const TARGET: &str = "gui/501/com.mcp-reap";

impl Launchctl {
    pub(crate) fn new(user: &UserEnvironment) -> Launchctl {
        Launchctl {
            domain: format!("gui/{}", user.uid),
            logged_in: true,
            loaded: None,
            disabled: false,
            slow: 2,
            leaving: None,
            not_yet: 0,
            last_exit: "(never exited)",
        }
    }

    fn print(&self, path: &str, job: &Value) -> String {
        let job = job.as_dictionary().unwrap();
        let arguments = job["ProgramArguments"].as_array().unwrap();
        let arguments: Vec<&str> = arguments.iter().map(|word| word.as_string().unwrap()).collect();
        let pairs = job.get("EnvironmentVariables").and_then(Value::as_dictionary).into_iter().flatten();
        let environment: String =
            pairs.map(|(name, value)| format!("\t\t{name} => {}\n", value.as_string().unwrap())).collect();
        let mut text = format!(
            "{TARGET} = {{\n\tactive count = 0\n\tpath = {path}\n\ttype = LaunchAgent\n\tstate = not running\n\n\
             \tprogram = {}\n\targuments = {{\n",
            arguments[0]
        );
        for argument in &arguments {
            text += &format!("\t\t{argument}\n");
        }
        text += &format!(
            "\t}}\n\n\tdefault environment = {{\n\t\tPATH => /usr/bin:/bin:/usr/sbin:/sbin\n\t}}\n\n\
             \tenvironment = {{\n{}\t\tXPC_SERVICE_NAME => com.mcp-reap\n\t}}\n\n\
             \tminimum runtime = 60\n\texit timeout = {}\n\truns = 0\n\tlast exit code = {}\n\n\tevent triggers = {{\n\
             \t\tcom.mcp-reap.268435470 => {{\n\t\t\tkeepalive = 0\n\t\t\tdescriptor = {{\n",
            environment,
            job["ExitTimeOut"].as_signed_integer().unwrap(),
            self.last_exit
        );
        for (key, number) in job["StartCalendarInterval"].as_dictionary().unwrap() {
            text += &format!("\t\t\t\t\"{key}\" => {}\n", number.as_signed_integer().unwrap());
        }
        text + "\t\t\t}\n\t\t}\n\t}\n}\n"
    }
}

impl SimulatedManager for Launchctl {
    fn answer(&mut self, args: &[&str]) -> Output {
        match args {
            ["print", domain] if *domain == self.domain => {
                if self.logged_in {
                    success("gui/501 = {\n}\n")
                } else {
                    failed(125, "Could not print domain: 125: Domain does not support specified action")
                }
            }
            ["print", TARGET] => {
                if let Some(left) = self.leaving.as_mut() {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        (self.loaded, self.leaving) = (None, None);
                    }
                }
                match &self.loaded {
                    Some((path, job)) => success(self.print(path, job)),
                    None => {
                        failed(113, "Could not find service \"com.mcp-reap\" in domain for user gui: 501")
                    }
                }
            }
            ["enable", TARGET] => {
                self.disabled = false;
                success("")
            }
            ["bootout", TARGET] => {
                self.leaving = Some(self.slow);
                failed(36, "Boot-out failed: 36: Operation now in progress")
            }
            ["bootstrap", domain, path] => {
                assert_eq!(*domain, self.domain);
                if self.loaded.is_some() || self.disabled || self.not_yet > 0 {
                    self.not_yet = self.not_yet.saturating_sub(1);
                    return failed(5, "Bootstrap failed: 5: Input/output error");
                }
                self.loaded = Some(((*path).to_owned(), Value::from_file(Path::new(path)).unwrap()));
                success("")
            }
            other => panic!("a call of launchctl that is not simulated: {other:?}"),
        }
    }
}
