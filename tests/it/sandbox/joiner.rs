//! The joiner's protocol, against the real program: bad requests, processes that are gone, a joiner that ends.

use std::{
    io::Read,
    os::{
        fd::{AsFd, BorrowedFd, OwnedFd},
        unix::net::UnixDatagram,
    },
    process::{Child, Command, Stdio},
};

use callgate::sandbox::{
    Joiner,
    joiner::{Inside, JoinError, Operation, operations::LimitTmpfs},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    net::{
        AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
        SocketType, recv, sendmsg, socketpair,
    },
    process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open},
};
use serde_json::{Value, json};

use super::stand::gateway;

/// A joiner, spoken to without the client.
struct Raw {
    child: Child,
    socket: OwnedFd,
}

impl Raw {
    fn start() -> Self {
        let (socket, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
        // The shell puts the socket where the joiner looks for it.
        let child = Command::new("sh")
            .args(["-c", "exec \"$0\" joiner 3<&0 </dev/null"])
            .arg(gateway())
            .stdin(theirs)
            .spawn()
            .unwrap();
        Self { child, socket }
    }

    fn send(&self, message: &[u8], descriptors: &[BorrowedFd<'_>]) {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut beside = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            assert!(beside.push(SendAncillaryMessage::ScmRights(descriptors)));
        }
        let parts = [std::io::IoSlice::new(message)];
        sendmsg(&self.socket, &parts, &mut beside, SendFlags::empty()).unwrap();
    }

    fn answer(&self) -> Value {
        let mut buffer = vec![0; 64 * 1024];
        let (read, _) = recv(&self.socket, &mut buffer[..], RecvFlags::empty()).unwrap();
        serde_json::from_slice(&buffer[..read]).unwrap()
    }

    /// Why a request failed: its id, the step, the error's number, and in words.
    fn failure(&self) -> (Value, String, Value, String) {
        let mut answer = self.answer();
        let failed = answer["outcome"]["failed"].take();
        let text = |name: &str| failed[name].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        (answer["id"].clone(), text("step"), failed["errno"].clone(), text("why"))
    }

    /// Closes the socket, and waits for the end.
    fn close(mut self) {
        drop(self.socket);
        assert!(self.child.wait().unwrap().success());
    }
}

fn pidfd(pid: u32) -> OwnedFd {
    pidfd_open(Pid::from_raw(pid.try_into().unwrap()).unwrap(), PidfdFlags::empty()).unwrap()
}

fn sleeper() -> Child {
    Command::new("sleep").arg("1000").stdin(Stdio::null()).spawn().unwrap()
}

/// An operation that fails everywhere.
fn operation() -> Operation {
    LimitTmpfs { target: "/no/such/folder".into(), bytes_max: 1, files_max: 1 }.into()
}

#[test]
fn what_is_no_request_is_refused_and_the_next_is_served() {
    let raw = Raw::start();
    let many = vec![json!({ "operation": "signal_all", "stop": true }); 17];
    for message in [
        b"garbage".to_vec(),
        b"{}".to_vec(),
        vec![b' '; 20_000],
        json!({ "id": 5, "pid": 1, "operations": [], "more": 1 }).to_string().into_bytes(),
        json!({ "id": 5, "pid": 1, "operations": [{ "operation": "format_disk" }] }).to_string().into_bytes(),
        json!({ "id": 5, "pid": 1, "operations": many }).to_string().into_bytes(),
    ] {
        raw.send(&message, &[]);
        let (id, step, ..) = raw.failure();
        assert_eq!((id, &*step), (json!(0), "read the request"), "{}", String::from_utf8_lossy(&message));
    }
    raw.send(json!({ "id": 6, "pid": 1, "operations": [] }).to_string().as_bytes(), &[]);
    assert_eq!(raw.failure().3, "no pidfd came with it");
    let own = std::process::id();
    raw.send(json!({ "id": 7, "pid": own, "operations": [] }).to_string().as_bytes(), &[pidfd(own).as_fd()]);
    assert_eq!(raw.answer(), json!({ "id": 7, "outcome": { "done": [] } }));
    raw.close();
}

#[test]
fn a_number_that_has_come_to_mean_another_process_is_noticed() {
    let raw = Raw::start();
    let mut gone = sleeper();
    let descriptor = pidfd(gone.id());
    gone.kill().unwrap();
    gone.wait().unwrap();
    let request = |pid: u32| json!({ "id": 1, "pid": pid, "operations": [] }).to_string();
    raw.send(request(std::process::id()).as_bytes(), &[descriptor.as_fd()]);
    assert_eq!(raw.failure().3, "the sandbox has ended");
    raw.send(request(gone.id()).as_bytes(), &[descriptor.as_fd()]);
    let (_, step, errno, _) = raw.failure();
    assert_eq!((&*step, errno), (&*format!("open /proc/{}/ns/mnt", gone.id()), json!(2)));
    raw.close();
}

#[test]
fn without_a_gateway_it_says_so() {
    let (socket, _other) = UnixDatagram::pair().unwrap();
    for stdin in [Stdio::null(), Stdio::from(OwnedFd::from(socket))] {
        // Nothing stands at 3, then a socket of another kind.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" joiner 3<&0"])
            .arg(gateway())
            .stdin(stdin)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(said.contains("this command is for the gateway itself"), "{said}");
        assert!(!child.wait().unwrap().success());
    }
}

#[tokio::test]
async fn a_step_that_fails_is_named() {
    let joiner = Joiner::new(gateway());
    let mut process = sleeper();
    let inside = Inside::of_process(Pid::from_child(&process)).unwrap();
    match joiner.request(&inside, vec![operation()], &[]).await {
        Err(JoinError::Failed(failure)) => assert!(failure.errno.is_some(), "{failure}"),
        other => panic!("{other:?}"),
    }
    process.kill().unwrap();
    process.wait().unwrap();
    match joiner.request(&inside, vec![operation()], &[]).await {
        Err(JoinError::Failed(failure)) => assert!(failure.step.starts_with("open /proc/"), "{failure}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_that_ends_fails_those_who_wait_and_is_started_again() {
    let joiner = Joiner::new(gateway());
    let mut process = sleeper();
    let inside = Inside::of_process(Pid::from_child(&process)).unwrap();
    joiner.request(&inside, Vec::new(), &[]).await.unwrap();
    let id = joiner.id().unwrap();
    let joiner_pid = Pid::from_raw(id.try_into().unwrap()).unwrap();
    kill_process(joiner_pid, Signal::STOP).unwrap();
    let calls = (0..40).map(|_| joiner.request(&inside, Vec::new(), &[]));
    let end = async {
        // Those who have their turn are with it by now, since the futures before this one were polled first.
        tokio::task::yield_now().await;
        kill_process(joiner_pid, Signal::KILL).unwrap();
    };
    let (results, ()) = tokio::join!(futures_util::future::join_all(calls), end);
    let ended = results.iter().filter(|result| matches!(result, Err(JoinError::Ended))).count();
    // Who had to wait for a turn is served by the next one.
    assert!(ended >= 32, "{ended}");
    joiner.request(&inside, Vec::new(), &[]).await.unwrap();
    assert_ne!(joiner.id().unwrap(), id);
    process.kill().unwrap();
    process.wait().unwrap();
}

#[tokio::test]
async fn it_ends_with_its_gateway() {
    let joiner = Joiner::new(gateway());
    let inside = Inside::of_process(rustix::process::getpid()).unwrap();
    joiner.request(&inside, Vec::new(), &[]).await.unwrap();
    let descriptor = pidfd(joiner.id().unwrap());
    drop(joiner);
    tokio::task::yield_now().await;
    let most = Timespec { tv_sec: 10, tv_nsec: 0 };
    let ended = tokio::task::spawn_blocking(move || {
        poll(&mut [PollFd::new(&descriptor, PollFlags::IN)], Some(&most)).unwrap()
    });
    assert_eq!(ended.await.unwrap(), 1);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_told() {
    let joiner = Joiner::new("/no/such/program");
    let inside = Inside::of_process(rustix::process::getpid()).unwrap();
    assert!(matches!(joiner.request(&inside, Vec::new(), &[]).await, Err(JoinError::Io(_))));
}
