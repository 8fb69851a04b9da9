//! Turning what went wrong on the wire into words that a person can act on.

use std::error::Error;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, HeaderMap};

use crate::model::{Fault, FaultKind, clean};

/// A failure before any answer came. `maybe_done` is set unless the connection was never made.
pub(super) fn of(e: &reqwest::Error, place: &str, answer: Duration) -> Fault {
    let sent = !(e.is_connect() || e.is_builder());
    if let Some(tls) = find::<rustls::Error>(e) {
        let mut fault = of_tls(tls, place);
        fault.maybe_done = sent;
        return fault;
    }
    if e.is_timeout() {
        let mut fault = timeout(place, answer, sent);
        if !sent {
            fault.what = "no connection within the time allowed".into();
            fault.advice =
                "Check the address, the network and any firewall between here and there.".into();
        }
        return fault;
    }
    if e.is_builder() {
        return Fault::new(
            FaultKind::Config,
            format!("the request can't be built: {}", chain(e)),
            place,
            "Check the endpoint address of this service.",
        );
    }
    let (what, advice) = if e.is_dns() {
        (
            format!("the host name can't be resolved: {}", chain(e)),
            "Check the host name in the endpoint, and this machine's name resolution.",
        )
    } else if e.is_connect() {
        (
            format!("no connection: {}", chain(e)),
            "Check that the service runs, and its address and port.",
        )
    } else {
        (
            format!("the connection broke before an answer came: {}", chain(e)),
            "If it happens again, look at the service and at proxies on the way.",
        )
    };
    let mut fault = Fault::new(FaultKind::Unreachable, what, place, advice);
    fault.maybe_done = sent;
    fault
}

/// A TLS connection that could not be made.
pub(in crate::connect) fn of_tls(e: &rustls::Error, place: &str) -> Fault {
    Fault::new(
        FaultKind::Tls,
        format!(
            "the TLS connection could not be made: {}",
            clean(&e.to_string())
        ),
        place,
        tls_advice(e),
    )
}

/// No answer in time.
pub(in crate::connect) fn timeout(place: &str, after: Duration, sent: bool) -> Fault {
    let mut fault = Fault::new(
        FaultKind::Timeout,
        format!("no answer within {:.0} s", after.as_secs_f64().max(1.0)),
        place,
        "The service may be overloaded. Raise timeout for this service if it is slow by nature.",
    );
    fault.maybe_done = sent;
    fault
}

/// The body ended early.
pub(super) fn cut_short(e: &reqwest::Error, place: &str, got: usize, headers: &HeaderMap) -> Fault {
    let of = headers
        .get(CONTENT_LENGTH)
        .and_then(|v| v.to_str().ok())
        .map_or_else(String::new, |n| format!(" of {}", clean(n)));
    Fault::new(
        FaultKind::Garbled,
        format!(
            "the answer was cut short after {got}{of} bytes: {}",
            chain(e)
        ),
        place,
        "If it stays so, look at proxies between here and the service.",
    )
}

fn tls_advice(e: &rustls::Error) -> &'static str {
    use rustls::CertificateError as C;
    match e {
        rustls::Error::InvalidCertificate(c) => match c {
            C::UnknownIssuer => {
                "If the service has a private authority, give its PEM file as ca_file, or pin the certificate with pin_sha256."
            }
            C::Expired
            | C::ExpiredContext { .. }
            | C::NotValidYet
            | C::NotValidYetContext { .. } => {
                "Have the service's certificate renewed, and check this machine's clock."
            }
            C::NotValidForName | C::NotValidForNameContext { .. } => {
                "The certificate is for another host name: check the endpoint, or pin the certificate with pin_sha256."
            }
            C::ApplicationVerificationFailure => {
                "The certificate is not the pinned one. If it was renewed, check the new one with its owner and change pin_sha256."
            }
            _ => {
                "Check the service's certificate. A private authority goes into ca_file; a certificate that signed itself is pinned with pin_sha256."
            }
        },
        _ => {
            "Check that the endpoint speaks TLS on this port and in a version that is still secure."
        }
    }
}

/// The first cause of this type, also where an I/O error wraps it.
pub(in crate::connect) fn find<'a, T: Error + 'static>(
    e: &'a (dyn Error + 'static),
) -> Option<&'a T> {
    let mut next = Some(e);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(io) = cause.downcast_ref::<std::io::Error>()
            && let Some(inner) = io.get_ref()
        {
            if let Some(found) = inner.downcast_ref::<T>() {
                return Some(found);
            }
            if let Some(found) = find::<T>(inner) {
                return Some(found);
            }
        }
        next = cause.source();
    }
    None
}

/// The innermost cause in words, cleaned. The outer ones repeat the address, which may hold secrets.
pub(in crate::connect) fn chain(e: &(dyn Error + 'static)) -> String {
    let mut last = e;
    while let Some(cause) = last.source() {
        last = cause;
    }
    let text = last.to_string();
    clean(&text).into_owned()
}
