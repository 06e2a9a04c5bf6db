//! The service of `benches/peers`, as a program: `peer-service CERTIFICATE`.
//!
//! Writes its authority's certificate, in PEM, to the file `CERTIFICATE`, then one line of JSON to
//! standard output with the URLs of Entra and IMDS. Ends when its standard input ends, so it never
//! outlives the process that started it.

use std::{env, fs, io::Read, process::ExitCode};

use credsim_benches::service;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(file), None) = (arguments.next(), arguments.next()) else {
        eprintln!("peer-service: expected one argument, the file to write the certificate to");
        return ExitCode::from(2);
    };
    match run(file.as_ref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peer-service: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread serves, so that the client has the other one of two cores.
#[expect(clippy::disallowed_methods, reason = "files of this machine")]
fn run(file: &std::path::Path) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let service = service::start().await?;
        fs::write(file, &service.authority)
            .map_err(|error| format!("can't write {}: {error}", file.display()))?;
        let places = serde_json::json!({ "entra": service.entra, "imds": service.imds });
        println!("{places}");
        let end = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        end.await
            .map_err(|error| error.to_string())?
            .map(drop)
            .map_err(|error| format!("can't read standard input: {error}"))
    })
}
