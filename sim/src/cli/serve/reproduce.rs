//! The line that serves the same world again.

use super::Args;
use crate::{
    limits::SERVED_EVENTS,
    live::ImdsBy,
    redact::{self, Dialect},
    simulation::quoted,
};

/// Stands for a secret, which must be filled in before the line is run.
const LEFT_OUT: &str = "...";

/// The command line of `program` that serves `selector` again, without secrets.
pub fn line(program: &str, args: &Args, selector: &str) -> String {
    let mut line = format!(
        "{} serve {} --seed {}",
        quoted(program),
        quoted(selector),
        args.seed
    );
    if let Some(times) = args.speed {
        line.push_str(&format!(" --speed {times}"));
    }
    if let Some(port) = args.port {
        line.push_str(&format!(" --port {port}"));
    }
    if args.imds == ImdsBy::Variable {
        line.push_str(" --imds variable");
    }
    if args.keep_events != SERVED_EVENTS {
        line.push_str(&format!(" --keep-events {}", args.keep_events));
    }
    if let Some(subject) = &args.subject {
        line.push_str(&format!(" --as {}", quoted(subject)));
    }
    for (name, value) in &args.variables {
        let is_secret = redact::is_secret_name(name) || redact::looks_secret(value);
        let value = if is_secret { LEFT_OUT } else { value };
        line.push_str(&format!(" --env {}", quoted(&format!("{name}={value}"))));
    }
    if args.until_exit {
        line.push_str(" --until-exit --");
        let words = args
            .command
            .iter()
            .map(|word| word.to_string_lossy().into_owned());
        for word in redact::arguments(&words.collect::<Vec<_>>(), Dialect::Any) {
            line.push(' ');
            line.push_str(&quoted(&word.replace(redact::MASK, LEFT_OUT)));
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Serve {
        #[command(flatten)]
        args: Args,
    }

    fn told(args: &[&str]) -> String {
        let args = ["serve", "w.toml", "--seed", "7"].iter().chain(args);
        let serve = Serve::try_parse_from(args).expect("arguments of serve");
        line("credsim", &serve.args, "w.toml")
    }

    #[test]
    fn all_that_makes_a_difference_is_told() {
        let args = [
            "--speed",
            "2",
            "--port",
            "8080",
            "--imds=variable",
            "--keep-events=7",
            "--as",
            "an-sdk 1.2",
            "--env",
            "AZURE_TOKEN_CREDENTIALS=dev",
            "--env",
            "A=b c",
            "--until-exit",
            "--",
            "node",
            "an app.js",
            "-p",
            "1",
        ];
        assert_eq!(
            told(&args),
            "credsim serve w.toml --seed 7 --speed 2 --port 8080 --imds variable --keep-events 7 \
             --as 'an-sdk 1.2' \
             --env AZURE_TOKEN_CREDENTIALS=dev --env 'A=b c' --until-exit -- node 'an app.js' -p 1"
        );
    }

    #[test]
    fn but_no_secret() {
        // Made up.
        let real = format!("abc8Q~{}", "x".repeat(34));
        let script = format!("curl -d s={real}");
        let args = [
            "--env",
            "AZURE_CLIENT_SECRET=hunter2",
            "--env",
            &format!("FORM={real}"),
            "--env",
            "REDIS=redis://:hunter2@host",
            "--until-exit",
            "--",
            "env",
            "DB_PASSWORD=hunter2",
            "sh",
            "-c",
            &script,
            "--token",
            "hunter2",
            "--client-secret=hunter2",
        ];
        assert_eq!(
            told(&args),
            "credsim serve w.toml --seed 7 --env AZURE_CLIENT_SECRET=... --env FORM=... \
             --env REDIS=... --until-exit -- env DB_PASSWORD=... sh -c 'curl -d s=...' \
             --token ... --client-secret=..."
        );
    }
}
