//! Channels and their subscribers.

use bytes::Bytes;

use super::super::{resp::Reply, store::glob};
use super::{Call, Client, Version};

impl Call<'_> {
    /// Sends a message to all subscribers of `channel`; returns how many of them are at this node.
    pub fn publish(&mut self, channel: &Bytes, message: &Bytes, sharded: bool) -> usize {
        let (me, node) = (self.client.id, self.client.node);
        // 7.4 finishes the reply to the publisher before it notifies them (RS-14).
        let now = self.now;
        let later = self.config().version == Version::V7_4;
        let mut touched = Vec::new();
        let mut receivers = 0;
        for client in self.everybody() {
            let heard = messages(client, channel, message, sharded);
            if heard.is_empty() {
                continue;
            }
            if client.node == node {
                receivers += heard.len();
            }
            for reply in &heard {
                if client.id == me && later {
                    reply.write(client.protocol, &mut client.later);
                } else {
                    client.write(reply);
                }
            }
            client.limit_output(now);
            touched.push(client.id);
        }
        touched.into_iter().for_each(|id| self.server.touch(id));
        receivers
    }
}

fn messages(client: &Client, channel: &Bytes, message: &Bytes, sharded: bool) -> Vec<Reply> {
    let (channel_reply, message) = (Reply::Bulk(channel.clone()), Reply::Bulk(message.clone()));
    if sharded {
        let is_in = client.shards.contains(channel);
        let push = || Reply::Push(vec![Reply::text("smessage"), channel_reply, message]);
        return is_in.then(push).into_iter().collect();
    }
    let mut heard = Vec::new();
    if client.channels.contains(channel) {
        heard.push(Reply::Push(vec![
            Reply::text("message"),
            channel_reply.clone(),
            message.clone(),
        ]));
    }
    let patterns = client.patterns.iter();
    heard.extend(
        patterns
            .filter(|pattern| glob::matches(pattern, channel))
            .map(|pattern| {
                Reply::Push(vec![
                    Reply::text("pmessage"),
                    Reply::Bulk(pattern.clone()),
                    channel_reply.clone(),
                    message.clone(),
                ])
            }),
    );
    heard
}
