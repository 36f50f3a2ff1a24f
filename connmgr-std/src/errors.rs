//! Maps errors of the operating system to the core's. Read `connect(2)` and `accept(2)` first.
//!
//! The core's answer depends on who is at fault: the peer, the proxy or this machine. This module does not know the
//! route of a dial: the adapter chooses between [`dial_error`] and [`proxy_dial_error`].

use std::io::{self, ErrorKind};

use connmgr_core::{CloseCause, DialError, LookupError};

/// Why a connection could not be opened.
///
/// `EADDRNOTAVAIL` means either that this machine has no address of the family (IPv6 switched off) or that it has no
/// free port. It is mapped as the first, which is more common. Both are this machine's fault, as is an unknown error,
/// so that no address suffers for it.
pub fn dial_error(error: &io::Error) -> DialError {
    if is_out_of_resources(error) {
        return DialError::OutOfResources;
    }
    if is_unsupported_family(error) {
        return DialError::AddressFamilyUnsupported;
    }
    if is_host_down(error) {
        return DialError::HostUnreachable;
    }
    match error.kind() {
        ErrorKind::ConnectionRefused => DialError::Refused,
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionAborted
        | ErrorKind::BrokenPipe
        | ErrorKind::UnexpectedEof => DialError::Reset,
        ErrorKind::TimedOut => DialError::TimedOut,
        ErrorKind::HostUnreachable => DialError::HostUnreachable,
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown | ErrorKind::AddrNotAvailable => {
            DialError::NetworkUnreachable
        }
        ErrorKind::AddrInUse => DialError::OutOfResources,
        ErrorKind::Unsupported => DialError::AddressFamilyUnsupported,
        _ => DialError::Other,
    }
}

/// Why the connection to a proxy could not be opened. It says nothing about the target or its network.
pub fn proxy_dial_error(error: &io::Error) -> DialError {
    let error = dial_error(error);
    if error == DialError::OutOfResources { error } else { DialError::ProxyUnreachable }
}

/// Why the connection to a proxy could not be opened for a lookup.
pub fn proxy_lookup_error(error: &io::Error) -> LookupError {
    if is_out_of_resources(error) { LookupError::Failed } else { LookupError::ProxyUnreachable }
}

/// Why an open connection broke. The end of the stream is no error: see [`end_cause`].
pub(crate) fn close_cause(error: &io::Error) -> CloseCause {
    match error.kind() {
        ErrorKind::UnexpectedEof => CloseCause::Eof,
        // EPIPE: the peer had closed before the write. A writer sees a reset this way.
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => CloseCause::Reset,
        _ => CloseCause::Error,
    }
}

/// Why a connection ended: by an error, or by the end of the stream if `error` is none. `heard`: at least one byte of
/// the peer has arrived. If none has, the peer may not understand our transport.
pub(crate) fn end_cause(error: Option<&io::Error>, heard: bool) -> CloseCause {
    match error.map_or(CloseCause::Eof, close_cause) {
        CloseCause::Eof | CloseCause::Reset if !heard => CloseCause::Unheard,
        cause => cause,
    }
}

/// Whether `accept` failed because of one connection, which it removed from the queue: the caller may try again at
/// once.
///
/// Every other error (descriptors, memory, permissions) stays until something changes, and trying again would spin:
/// report [`Input::AcceptError`](connmgr_core::Input::AcceptError) and obey the pause. Not to be called for
/// `WouldBlock`.
pub(crate) fn accept_error_is_transient(error: &io::Error) -> bool {
    if is_out_of_resources(error) {
        return false;
    }
    // Linux passes on errors of the new connection: accept(2), "Error handling".
    let of_the_connection = matches!(
        error.kind(),
        ErrorKind::ConnectionAborted
            | ErrorKind::ConnectionReset
            | ErrorKind::Interrupted
            | ErrorKind::TimedOut
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::NetworkDown
    );
    of_the_connection || is_host_down(error) || is_broken_handshake(error)
}

/// Whether the process or the machine is out of descriptors, buffers or memory.
pub(crate) fn is_out_of_resources(error: &io::Error) -> bool {
    error.kind() == ErrorKind::OutOfMemory || is_one_of(error, raw::OUT_OF_RESOURCES)
}

/// Whether a file system has no room: it may have some later.
pub(crate) fn is_full_disk(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

/// Whether a disk can't read what is on it.
pub(crate) fn is_bad_disk(error: &io::Error) -> bool {
    is_one_of(error, raw::BAD_DISK)
}

/// Whether a socket that does not block has begun to connect.
pub(crate) fn connect_goes_on(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || is_one_of(error, raw::IN_PROGRESS)
}

fn is_unsupported_family(error: &io::Error) -> bool {
    is_one_of(error, raw::UNSUPPORTED_FAMILY)
}

fn is_host_down(error: &io::Error) -> bool {
    is_one_of(error, raw::HOST_DOWN)
}

fn is_broken_handshake(error: &io::Error) -> bool {
    is_one_of(error, raw::BROKEN_HANDSHAKE)
}

fn is_one_of(error: &io::Error, codes: &[i32]) -> bool {
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Codes that [`ErrorKind`] has no stable name for.
#[cfg(unix)]
mod raw {
    pub(super) const OUT_OF_RESOURCES: &[i32] = &[libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM];
    pub(super) const UNSUPPORTED_FAMILY: &[i32] = &[libc::EAFNOSUPPORT, libc::EPFNOSUPPORT, libc::EPROTONOSUPPORT];
    pub(super) const HOST_DOWN: &[i32] = &[libc::EHOSTDOWN];
    pub(super) const IN_PROGRESS: &[i32] = &[libc::EINPROGRESS];
    pub(super) const BAD_DISK: &[i32] = &[libc::EIO];
    #[cfg(target_os = "linux")]
    pub(super) const BROKEN_HANDSHAKE: &[i32] = &[libc::EPROTO, libc::ENOPROTOOPT, libc::ENONET];
    #[cfg(not(target_os = "linux"))]
    pub(super) const BROKEN_HANDSHAKE: &[i32] = &[libc::EPROTO, libc::ENOPROTOOPT];
}

/// Codes that [`ErrorKind`] has no stable name for: winsock's, as in its "Windows Sockets Error Codes".
#[cfg(windows)]
mod raw {
    /// `WSAEMFILE`, `WSAENOBUFS`, `WSA_NOT_ENOUGH_MEMORY`.
    pub(super) const OUT_OF_RESOURCES: &[i32] = &[10024, 10055, 8];
    /// `WSAEAFNOSUPPORT`, `WSAEPFNOSUPPORT`, `WSAEPROTONOSUPPORT`.
    pub(super) const UNSUPPORTED_FAMILY: &[i32] = &[10047, 10046, 10043];
    /// `WSAEHOSTDOWN`.
    pub(super) const HOST_DOWN: &[i32] = &[10064];
    /// `WSAEWOULDBLOCK` is [`ErrorKind::WouldBlock`](std::io::ErrorKind::WouldBlock).
    pub(super) const IN_PROGRESS: &[i32] = &[];
    /// `ERROR_CRC`, `ERROR_IO_DEVICE`.
    pub(super) const BAD_DISK: &[i32] = &[23, 1117];
    pub(super) const BROKEN_HANDSHAKE: &[i32] = &[];
}

/// Elsewhere, [`ErrorKind`] has to do.
#[cfg(not(any(unix, windows)))]
mod raw {
    pub(super) const OUT_OF_RESOURCES: &[i32] = &[];
    pub(super) const UNSUPPORTED_FAMILY: &[i32] = &[];
    pub(super) const HOST_DOWN: &[i32] = &[];
    pub(super) const IN_PROGRESS: &[i32] = &[];
    pub(super) const BAD_DISK: &[i32] = &[];
    pub(super) const BROKEN_HANDSHAKE: &[i32] = &[];
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use connmgr_core::Fault;

    fn dial(code: i32) -> DialError {
        dial_error(&io::Error::from_raw_os_error(code))
    }

    #[test]
    fn each_system_error_of_a_dial_has_its_word() {
        for (code, word) in [
            (libc::ECONNREFUSED, DialError::Refused),
            (libc::ECONNRESET, DialError::Reset),
            (libc::ETIMEDOUT, DialError::TimedOut),
            (libc::EHOSTUNREACH, DialError::HostUnreachable),
            (libc::EHOSTDOWN, DialError::HostUnreachable),
            (libc::ENETUNREACH, DialError::NetworkUnreachable),
            (libc::ENETDOWN, DialError::NetworkUnreachable),
            (libc::EADDRNOTAVAIL, DialError::NetworkUnreachable),
            (libc::EAFNOSUPPORT, DialError::AddressFamilyUnsupported),
            (libc::EMFILE, DialError::OutOfResources),
            (libc::ENFILE, DialError::OutOfResources),
            (libc::ENOBUFS, DialError::OutOfResources),
            (libc::ENOMEM, DialError::OutOfResources),
            (libc::EADDRINUSE, DialError::OutOfResources),
        ] {
            assert_eq!(dial(code), word, "{}", io::Error::from_raw_os_error(code));
        }
    }

    #[test]
    fn an_unknown_error_is_not_blamed_on_the_target() {
        assert_eq!(dial(libc::EPERM).fault(), Fault::Ours);
        assert_eq!(dial_error(&io::Error::other("odd")).fault(), Fault::Ours);
    }

    #[test]
    fn a_proxy_that_cant_be_reached_is_not_the_targets_fault() {
        let dial = |code| proxy_dial_error(&io::Error::from_raw_os_error(code));
        for code in [libc::ECONNREFUSED, libc::ETIMEDOUT, libc::ENETUNREACH, libc::EPERM] {
            assert_eq!(dial(code), DialError::ProxyUnreachable, "{}", io::Error::from_raw_os_error(code));
            let lookup = proxy_lookup_error(&io::Error::from_raw_os_error(code));
            assert_eq!(lookup, LookupError::ProxyUnreachable, "{}", io::Error::from_raw_os_error(code));
        }
        assert_eq!(proxy_lookup_error(&io::Error::from_raw_os_error(libc::EMFILE)), LookupError::Failed);
        assert_eq!(dial(libc::EMFILE), DialError::OutOfResources);
    }

    #[test]
    fn a_silent_end_is_told_from_an_end_after_words() {
        let reset = io::Error::from_raw_os_error(libc::ECONNRESET);
        let broken = io::Error::from_raw_os_error(libc::EIO);
        assert_eq!(end_cause(None, false), CloseCause::Unheard);
        assert_eq!(end_cause(None, true), CloseCause::Eof);
        assert_eq!(end_cause(Some(&reset), false), CloseCause::Unheard);
        assert_eq!(end_cause(Some(&reset), true), CloseCause::Reset);
        assert_eq!(end_cause(Some(&broken), false), CloseCause::Error);
    }

    #[test]
    fn accept_is_tried_again_only_after_an_error_of_one_connection() {
        let transient = |code| accept_error_is_transient(&io::Error::from_raw_os_error(code));
        for code in [libc::ECONNABORTED, libc::EINTR, libc::EPROTO, libc::EHOSTDOWN, libc::ENETUNREACH] {
            assert!(transient(code), "{}", io::Error::from_raw_os_error(code));
        }
        for code in [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EPERM, libc::EINVAL] {
            assert!(!transient(code), "{}", io::Error::from_raw_os_error(code));
        }
    }
}
