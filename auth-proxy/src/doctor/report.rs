//! [`Report`]: the result of a check, as text and as JSON.

use std::fmt;
use std::process::ExitCode;

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::code::Severity;
use super::finding::{Finding, Unchecked};

/// The result of [`Proxy::check`](crate::Proxy::check). `Display` is a text for operators. `Serialize` writes the same as
/// JSON, in the fields `ok`, `upstream`, `server`, `deployment`, `findings` and `unchecked`.
///
/// ```no_run
/// # use auth_proxy::auth_proxy;
/// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
/// # async fn example(auth: Auth) -> Result<(), Box<dyn std::error::Error>> {
/// let report = auth.check().await;
/// println!("{report}");
/// println!("{}", serde_json::to_string_pretty(&report)?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    pub(super) upstream: String,
    pub(super) server: Option<&'static str>,
    pub(super) deployment: Option<Deployment>,
    pub(super) findings: Vec<Finding>,
    pub(super) unchecked: Vec<Unchecked>,
}

/// How app and login server are put together, by the URLs that the server builds. The guide explains
/// [deployments](crate::guide::deployments). A redirect proxy looks like a front door: the server uses its address in
/// sign-ins only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Deployment {
    /// The server builds its URLs with the origin of this app.
    FrontDoor,
    /// It builds them with its own host, and shares its cookies with this app by their `Domain`.
    ParentDomain,
}

impl Deployment {
    fn name(self) -> &'static str {
        match self {
            Self::FrontDoor => "front door",
            Self::ParentDomain => "parent domain",
        }
    }
}

impl Report {
    /// Whether no finding is an error.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity() < Severity::Error)
    }

    /// What is wrong, in the order in which it was found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What could not be checked.
    #[must_use]
    pub fn unchecked(&self) -> &[Unchecked] {
        &self.unchecked
    }

    /// The server that was recognised, such as `Auth.js v5`.
    #[must_use]
    pub fn server(&self) -> Option<&'static str> {
        self.server
    }

    /// The deployment that was recognised.
    #[must_use]
    pub fn deployment(&self) -> Option<Deployment> {
        self.deployment
    }

    /// The report itself, or an error that lists the findings. A program that requires the check at its start ends with it:
    ///
    /// ```no_run
    /// # use auth_proxy::auth_proxy;
    /// # auth_proxy! { struct Auth { upstream: { base_url: "http://auth.internal" } } }
    /// #[tokio::main]
    /// async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     let auth = Auth::from_env()?;
    ///     auth.check().await.into_result()?;
    ///     // serve the app
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// If a finding has the severity `error`.
    pub fn into_result(self) -> Result<Self, CheckFailed> {
        if self.is_ok() { Ok(self) } else { Err(CheckFailed(Box::new(self))) }
    }

    /// The exit code for a command that prints the report: 0, or 1 if a finding is an error.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        if self.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "upstream: {}", self.upstream)?;
        if let Some(server) = self.server {
            write!(f, "\nserver: {server}")?;
        }
        if let Some(deployment) = self.deployment {
            write!(f, "\ndeployment: {}", deployment.name())?;
        }
        self.findings.iter().try_for_each(|finding| write!(f, "\n\n{finding}"))?;
        if !self.unchecked.is_empty() {
            f.write_str("\n")?;
        }
        self.unchecked.iter().try_for_each(|unchecked| write!(f, "\n{unchecked}"))?;
        let of = |severity| self.findings.iter().filter(|finding| finding.severity() == severity).count();
        match (of(Severity::Error), of(Severity::Warning)) {
            (0, 0) => f.write_str("\n\nok"),
            (errors, warnings) => {
                write!(f, "\n\n{}, {}", counted(errors, "error"), counted(warnings, "warning"))
            }
        }
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Report", 6)?;
        fields.serialize_field("ok", &self.is_ok())?;
        fields.serialize_field("upstream", &self.upstream)?;
        fields.serialize_field("server", &self.server)?;
        fields.serialize_field("deployment", &self.deployment)?;
        fields.serialize_field("findings", &self.findings)?;
        fields.serialize_field("unchecked", &self.unchecked)?;
        fields.end()
    }
}

/// The error of [`Report::into_result`]. Both `Display` and `Debug` write the whole report, so that
/// `fn main() -> Result<(), CheckFailed>` prints a readable error.
#[derive(Clone)]
pub struct CheckFailed(Box<Report>);

impl CheckFailed {
    /// The report.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.0
    }
}

impl fmt::Display for CheckFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the check of the deployment failed\n{}", self.0)
    }
}

impl fmt::Debug for CheckFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for CheckFailed {}
