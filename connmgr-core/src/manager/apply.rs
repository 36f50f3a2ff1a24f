//! Inputs as data.

use crate::types::{Input, Reply, Time};

use super::ConnManager;

impl ConnManager {
    /// Calls the method that `input` names, and returns what it returns.
    pub fn apply(&mut self, input: &Input, now: Time) -> Reply {
        match input {
            Input::Timeout => self.handle_timeout(now),
            Input::Clock { unix } => self.handle_clock(*unix, now),
            Input::DialResult { conn, result } => self.handle_dial_result(*conn, *result, now),
            Input::Ready { conn, info } => self.handle_ready(*conn, *info, now),
            Input::Closed { conn, cause } => self.handle_closed(*conn, *cause, now),
            Input::Dropped { conn } => self.handle_dropped(*conn, now),
            Input::Addresses { source, addresses } => {
                return Reply::Learnt(self.handle_addresses(*source, addresses, now));
            }
            Input::LookupResult { lookup, result } => {
                let result = result.as_ref().map(|ips| ips.as_slice()).map_err(|error| *error);
                self.handle_lookup_result(*lookup, result, now);
            }
            Input::Misbehavior { conn, penalty } => self.handle_misbehavior(*conn, *penalty, now),
            Input::Activity { conn, activity } => self.handle_activity(*conn, *activity, now),
            Input::AcceptError { listener } => self.handle_accept_error(*listener, now),
            Input::NetworkChanged => self.handle_network_changed(now),
            Input::OwnAddress { address } => self.handle_own_address(address, now),
            Input::Accept { remote, listener } => return Reply::Accepted(self.accept(*remote, *listener, now)),
            Input::AddPeer { peer } => return Reply::Added(self.add_peer(peer.clone(), now)),
            Input::RemovePeer { peer } => return Reply::Done(self.remove_peer(*peer, now)),
            Input::Disconnect { conn } => return Reply::Done(self.disconnect(*conn, now)),
            Input::Reconnect { conn } => return Reply::Done(self.reconnect(*conn, now)),
            Input::DialNow { peer } => return Reply::Done(self.dial_now(*peer, now)),
            Input::SetRetry { peer, retry } => return Reply::Done(self.set_retry(*peer, *retry, now)),
            Input::Ban { target, duration } => return Reply::Done(self.ban(target, *duration, now)),
            Input::Unban { target } => return Reply::Done(self.unban(target, now)),
            Input::ForgetOwnAddress { address } => return Reply::Done(self.forget_own_address(address, now)),
            Input::ResetScore { host } => return Reply::Done(self.reset_score(host, now)),
            Input::AnswerGetaddr { conn } => return Reply::Addresses(self.answer_getaddr(*conn, now)),
            Input::SampleAddresses { network, count } => {
                return Reply::Addresses(self.sample_addresses(*network, *count, now));
            }
            Input::SetActive { active } => return Reply::Done(self.set_active(*active, now)),
            Input::SetLimits { limits } => return Reply::Done(self.set_limits(*limits, now)),
            Input::Shutdown => return Reply::Done(self.shutdown(now)),
        }
        Reply::Noted
    }
}
