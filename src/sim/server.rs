//! The HTTP/1.1 server before each service: reads whole requests, hands them to the engine, and lets the answer
//! travel as the engine says (whole, late, in half, or not at all).

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, DATE, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::dialect::ServiceId;
use super::engine::{Delivery, Engine};
use super::gateway;
use super::http::{Request, Response};

/// The engine behind its lock. The lock is never held across an await.
pub(super) type Shared = Arc<Mutex<Engine>>;

/// The gateway takes bodies of up to 12 MB.
const BODY_LIMIT: usize = 12 * 1024 * 1024;

type Body = BoxBody<Bytes, io::Error>;

/// Runs `work` on the engine, also when an earlier holder of the lock panicked.
pub(super) fn with<T>(shared: &Shared, work: impl FnOnce(&mut Engine) -> T) -> T {
    let mut engine = shared.lock().unwrap_or_else(PoisonError::into_inner);
    work(&mut engine)
}

/// Accepts connections for one service for as long as the task lives; closes the port while `up` is false.
pub(super) async fn listen(
    shared: Shared,
    service: ServiceId,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    mut up: watch::Receiver<bool>,
) {
    let address = listener.local_addr();
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        if !*up.borrow_and_update() {
            listener = None;
            connections.shutdown().await;
            if up.changed().await.is_err() {
                return;
            }
            continue;
        }
        let Some(open) = &listener else {
            match &address {
                Ok(address) => match TcpListener::bind(address).await {
                    Ok(bound) => listener = Some(bound),
                    // Somebody else may hold the port for a moment.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
                Err(_) => return,
            }
            continue;
        };
        tokio::select! {
            accepted = open.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(shared.clone(), service, stream, tls.clone()));
                }
                // Out of descriptors: wait for some to come back.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            changed = up.changed() => if changed.is_err() { return },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve(shared: Shared, service: ServiceId, stream: TcpStream, tls: Option<TlsAcceptor>) {
    // Answers are small and latency is what clients feel; a failure here costs only speed.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        if let Some(stream) = talk(shared, service, stream).await {
            let _ = stream.set_zero_linger();
        }
        return;
    };
    // Whoever does not like the certificate goes away: that is the client's affair.
    if let Ok(stream) = tls.accept(stream).await
        && let Some(stream) = talk(shared, service, stream).await
    {
        let _ = stream.get_ref().0.set_zero_linger();
    }
}

/// Serves one connection to its end. Gives the stream back when it is to be reset instead of ended in order, so that
/// what is still under way is lost too.
async fn talk<S>(shared: Shared, service: ServiceId, stream: S) -> Option<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let reset = Arc::new(AtomicBool::new(false));
    let wants_reset = reset.clone();
    let service_fn = service_fn(move |request| {
        let (shared, reset) = (shared.clone(), reset.clone());
        let answer: Pin<Box<dyn Future<Output = Result<_, io::Error>> + Send>> =
            Box::pin(answer(shared, service, request, reset));
        answer
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service_fn);
    // How a connection ends is the client's affair, or was asked for.
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let mut stream = connection.into_parts().io.into_inner();
    if wants_reset.load(Ordering::Relaxed) {
        return Some(stream);
    }
    let _ = stream.shutdown().await;
    None
}

async fn answer(
    shared: Shared,
    service: ServiceId,
    request: hyper::Request<Incoming>,
    reset: Arc<AtomicBool>,
) -> Result<hyper::Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let id = uuid::Uuid::new_v4().simple().to_string();
    let target = head
        .uri
        .path_and_query()
        .map_or("/", |target| target.as_str());
    let collected = Limited::new(body, BODY_LIMIT).collect().await;
    let (body, whole) = match collected {
        Ok(body) => (body.to_bytes(), true),
        Err(_) => (Bytes::new(), false),
    };
    let request = Request::new(head.method.as_str(), target, head.headers, body, id);
    let (response, delivery, now) = with(&shared, |engine| {
        let (response, delivery) = if whole {
            engine.exchange(service, &request)
        } else {
            let refusal = gateway::error(&request, 413, "APIGW.0201", "Request entity too large");
            (refusal, Delivery::Whole)
        };
        (response, delivery, engine.world.now())
    });
    let (body, length) = match delivery {
        Delivery::Never => {
            reset.store(true, Ordering::Relaxed);
            return Err(io::Error::from(io::ErrorKind::ConnectionReset));
        }
        Delivery::Whole => (whole_body(response.body.clone()), None),
        Delivery::Late(millis) => {
            tokio::time::sleep(Duration::from_millis(millis)).await;
            (whole_body(response.body.clone()), None)
        }
        Delivery::Half => (half(&response.body), Some(response.body.len())),
        Delivery::Huge(bytes) => (huge(bytes), None),
    };
    let date = now.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    Ok(assemble(&response, body, length, &date, &request.id))
}

fn assemble(
    response: &Response,
    body: Body,
    length: Option<usize>,
    date: &str,
    id: &str,
) -> hyper::Response<Body> {
    let mut out = hyper::Response::new(body);
    let status = if response.status == 0 {
        200
    } else {
        response.status
    };
    *out.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
    let headers = out.headers_mut();
    if let Ok(value) = HeaderValue::from_str(date) {
        headers.insert(DATE, value);
    }
    if let Ok(value) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            headers.append(name, value);
        }
    }
    out
}

fn whole_body(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never: Infallible| match never {})
        .boxed()
}

/// The first half of a body, then an error that makes the server end the connection.
fn half(bytes: &Bytes) -> Body {
    let start = bytes.slice(..bytes.len() / 2);
    let parts = stream::iter([Ok(Frame::data(start))]).chain(stream::once(async {
        // Pending once, so that the first half is flushed before the connection ends.
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::UnexpectedEof))
    }));
    BodyExt::boxed(StreamBody::new(parts))
}

/// Valid JSON of about `bytes` bytes, made a piece at a time.
fn huge(bytes: u64) -> Body {
    const PIECE: &[u8] = &[b'x'; 64 * 1024];
    let pieces = bytes / PIECE.len() as u64;
    let text = (0..pieces)
        .map(|_| Bytes::from_static(PIECE))
        .chain([Bytes::from_static(b"\"}")]);
    let all = std::iter::once(Bytes::from_static(b"{\"padding\":\"")).chain(text);
    BodyExt::boxed(StreamBody::new(
        stream::iter(all).map(|piece| Ok(Frame::data(piece))),
    ))
}

/// Asks a service's control path from inside the process.
pub(super) fn control(
    shared: &Shared,
    service: ServiceId,
    method: &str,
    path: &str,
    body: &Value,
) -> (u16, Value) {
    let body = match body {
        Value::Null => Bytes::new(),
        body => body.to_string().into(),
    };
    let target = format!("/_sim/{}", path.trim_start_matches('/'));
    let request = Request::new(method, &target, Default::default(), body, String::new());
    let (response, _) = with(shared, |engine| engine.exchange(service, &request));
    let body = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
    (response.status, body)
}
