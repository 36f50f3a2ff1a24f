//! Inputs as data.

use crate::input::{Input, Reply};
use crate::time::Time;

use super::ConnManager;

impl ConnManager {
    /// Tells or asks what `input` says, by the typed method of the same name.
    pub fn apply(&mut self, input: &Input, now: Time) -> Reply {
        match input {
            Input::Timeout => noted(self.handle_timeout(now)),
            Input::Clock { unix } => noted(self.handle_clock(*unix, now)),
            Input::DialResult { conn, result } => noted(self.handle_dial_result(*conn, *result, now)),
            Input::Ready { conn, info } => noted(self.handle_ready(*conn, *info, now)),
            Input::Closed { conn, cause } => noted(self.handle_closed(*conn, *cause, now)),
            Input::Addresses { source, addresses } => noted(self.handle_addresses(*source, addresses, now)),
            Input::LookupResult { lookup, result } => {
                let result = result.as_ref().map(|ips| ips.as_slice()).map_err(|error| *error);
                noted(self.handle_lookup_result(*lookup, result, now))
            }
            Input::Misbehavior { conn, penalty } => noted(self.handle_misbehavior(*conn, *penalty, now)),
            Input::Activity { conn, activity } => noted(self.handle_activity(*conn, *activity, now)),
            Input::AcceptError { listener } => noted(self.handle_accept_error(*listener, now)),
            Input::NetworkChanged => noted(self.handle_network_changed(now)),
            Input::OwnAddress { address } => noted(self.handle_own_address(address, now)),
            Input::Accept { remote, listener } => Reply::Accepted(self.accept(*remote, *listener, now)),
            Input::AddPeer { address, keep } => Reply::Added(self.add_peer(address.clone(), *keep, now)),
            Input::RemovePeer { peer } => Reply::Done(self.remove_peer(*peer, now)),
            Input::Disconnect { conn } => Reply::Done(self.disconnect(*conn, now)),
            Input::Reconnect { conn } => Reply::Done(self.reconnect(*conn, now)),
            Input::DialNow { peer } => Reply::Done(self.dial_now(*peer, now)),
            Input::Ban { target, duration } => Reply::Done(self.ban(target, *duration, now)),
            Input::Unban { target } => Reply::Done(self.unban(target, now)),
            Input::ResetScore { host } => Reply::Done(self.reset_score(host, now)),
            Input::SampleAddresses { network, count } => Reply::Addresses(self.sample_addresses(*network, *count, now)),
            Input::SetActive { active } => Reply::Done(self.set_active(*active, now)),
            Input::SetLimits { limits } => Reply::Done(self.set_limits(*limits, now)),
            Input::Shutdown => Reply::Done(self.shutdown(now)),
        }
    }
}

const fn noted((): ()) -> Reply {
    Reply::Noted
}
