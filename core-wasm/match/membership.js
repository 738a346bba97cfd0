"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.memberNew = memberNew;
exports.memberTypesSet = memberTypesSet;
exports.memberLeave = memberLeave;
exports.memberEnd = memberEnd;
exports.connectionLeaveAll = connectionLeaveAll;
exports.inboxReleaseIfDrained = inboxReleaseIfDrained;
exports.inboxConfigure = inboxConfigure;
exports.channelEnd = channelEnd;
/**
 * Joining and leaving: what ties a connection to a channel, and what is undone when it goes.
 *
 * What was queued for a member that leaves is discarded and counted (design.md §4). What a source has in its outbox
 * was accepted, so it goes on its way even if the source is gone.
 */
const abi_1 = require("../abi");
const channel_1 = require("../channel/channel");
const member_1 = require("../channel/member");
const types_1 = require("../channel/types");
const entry_1 = require("../event/entry");
const decide_1 = require("../filter/decide");
const inbox_1 = require("../mailbox/inbox");
const records_1 = require("../mailbox/records");
const run_1 = require("../mailbox/run");
const slab_1 = require("../mailbox/slab");
const heap_1 = require("../memory/heap");
const table_1 = require("../memory/table");
const result_1 = require("../result");
const connection_1 = require("../session/connection");
const statistics_1 = require("../statistics");
const publish_1 = require("./publish");
/** Adds a member; 0 with RESULT_STATUS where it cannot be. */
function memberNew(connection, channelNumber, role) {
    const found = (0, channel_1.channelFind)(channelNumber);
    if (found === null) {
        (0, result_1.resultStatus)(abi_1.STATUS_CHANNEL_UNKNOWN, channelNumber, 0);
        return 0;
    }
    const channel = found;
    if ((role & abi_1.ROLE_SOURCE) !== 0 && (channel.flags & abi_1.CHANNEL_SINGLE) !== 0 && channel.sources !== 0) {
        (0, result_1.resultStatus)(abi_1.STATUS_SOURCE_TAKEN, channel.sources, 1);
        return 0;
    }
    if ((role & abi_1.ROLE_SINK) !== 0 && channel.decider !== 0 && channel.sinks >= decide_1.DECIDER_SINKS_MAX) {
        (0, result_1.resultStatus)(abi_1.STATUS_LIMIT, channel.sinks + 1, decide_1.DECIDER_SINKS_MAX);
        return 0;
    }
    const number = (0, table_1.tableTake)((0, member_1.memberTable)());
    if (number === 0) {
        (0, result_1.resultStatus)(abi_1.STATUS_LIMIT, abi_1.MEMBERS_MAX, abi_1.MEMBERS_MAX);
        return 0;
    }
    const member = (0, member_1.memberAt)(number);
    member.connection = connection.number;
    member.channel = channelNumber;
    member.inbox = connection.inbox;
    member.role = role;
    const second = (role & abi_1.ROLE_SINK) !== 0 && (0, member_1.pairWithRole)(connection.number, channelNumber, abi_1.ROLE_SINK) !== 0;
    const isSink = (role & abi_1.ROLE_SINK) !== 0;
    if ((isSink && !(0, channel_1.channelSinkAdd)(channel, changetype(member))) || !(0, member_1.pairAdd)(member)) {
        if (isSink)
            (0, channel_1.channelSinkRemove)(channel, changetype(member));
        (0, table_1.tableGive)((0, member_1.memberTable)(), number);
        (0, result_1.resultStatus)(abi_1.STATUS_STORE_FULL, 0, 0);
        return 0;
    }
    member.nextOfConnection = connection.members;
    connection.members = changetype(member);
    if ((role & abi_1.ROLE_SOURCE) !== 0)
        channel.sources++;
    if (isSink) {
        const inbox = changetype(connection.inbox);
        if (second)
            channel.doubleSinks++;
        if ((0, inbox_1.inboxStrict)(inbox))
            channel.strictSinks++;
        if (inbox.stalled !== 0)
            channel.blockedBy++;
    }
    return number;
}
/** Sets the types that a sink wants. Returns a status. */
function memberTypesSet(number, typesAt, count) {
    const found = (0, member_1.memberFind)(number);
    if (found === null)
        return (0, result_1.resultStatus)(abi_1.STATUS_MEMBER_UNKNOWN, number, 0);
    const member = found;
    const status = (0, types_1.typeSetNew)(typesAt, count);
    if (status !== abi_1.STATUS_OK)
        return status;
    const channel = (0, channel_1.channelAt)(member.channel);
    if ((member.role & abi_1.ROLE_SINK) !== 0) {
        if (member.types !== 0)
            channel.typedSinks--;
        if (types_1.typeSetMade !== 0)
            channel.typedSinks++;
    }
    (0, types_1.typeSetRelease)(member.types);
    member.types = types_1.typeSetMade;
    return abi_1.STATUS_OK;
}
/** Removes a member of a connection and discards what its inbox holds of the channel. Returns a status. */
function memberLeave(connection, number) {
    const found = (0, member_1.memberFind)(number);
    if (found === null || found.connection !== connection.number) {
        return (0, result_1.resultStatus)(abi_1.STATUS_MEMBER_UNKNOWN, number, 0);
    }
    const member = found;
    const channel = (0, channel_1.channelAt)(member.channel);
    const wasSink = (member.role & abi_1.ROLE_SINK) !== 0;
    memberEnd(connection, member, channel);
    if (wasSink && (0, member_1.pairWithRole)(connection.number, channel.number, abi_1.ROLE_SINK) === 0) {
        inboxDiscard(changetype(connection.inbox), channel.number);
        inboxReleaseIfDrained(changetype(connection.inbox));
    }
    (0, publish_1.outboxesPump)(channel);
    return abi_1.STATUS_OK;
}
/** Unties a member from everything; the inbox's contents are the caller's. */
function memberEnd(connection, member, channel) {
    const at = changetype(member);
    (0, member_1.pairRemove)(member);
    connection.members = without(connection.members, at, offsetof("nextOfConnection"));
    connection.notices = without(connection.notices, at, offsetof("nextNotice"));
    connection.grants = without(connection.grants, at, offsetof("nextGrant"));
    if (connection.cacheSource === at)
        connection.cacheChannel = connection.cacheSource = 0;
    if ((member.role & abi_1.ROLE_SOURCE) !== 0)
        channel.sources--;
    if ((member.role & abi_1.ROLE_SINK) !== 0) {
        const inbox = changetype(member.inbox);
        (0, channel_1.channelSinkRemove)(channel, at);
        if ((0, member_1.pairWithRole)(connection.number, channel.number, abi_1.ROLE_SINK) !== 0)
            channel.doubleSinks--;
        if ((0, inbox_1.inboxStrict)(inbox))
            channel.strictSinks--;
        if (inbox.stalled !== 0)
            channel.blockedBy--;
        if (member.types !== 0)
            channel.typedSinks--;
    }
    (0, types_1.typeSetRelease)(member.types);
    member.types = 0;
    if (member.attributesAt !== 0)
        (0, heap_1.heapGive)(member.attributesAt, member.attributesBytes);
    member.attributesAt = member.attributesBytes = 0;
    member.connection = member.role = 0;
    if (member.outboxEvents === 0) {
        (0, table_1.tableGive)((0, member_1.memberTable)(), member.number);
        return;
    }
    // The member stays as an outbox without an owner until that is empty.
    for (let node = member.outboxHead; node !== 0; node = changetype(node).next) {
        changetype(node).connection = 0;
    }
}
/** The head of a singly linked list without one record, whose link lies at `link`. */
function without(head, record, link) {
    if (head === record)
        return load(record + link);
    for (let at = head; at !== 0; at = load(at + link)) {
        if (load(at + link) === record) {
            store(at + link, load(record + link));
            break;
        }
    }
    return head;
}
/** Discards all entries of a channel from an inbox, and counts them. */
function inboxDiscard(inbox, channel) {
    let old = inbox.head;
    inbox.head = inbox.tail = 0;
    inbox.events = inbox.bytes = 0;
    while (old !== 0) {
        const run = changetype(old);
        const slab = changetype(run.slab);
        old = run.next;
        slab.pins++;
        keepOthers(inbox, run, slab, channel);
        (0, run_1.runUnlink)(run);
        (0, heap_1.heapGive)(changetype(run), offsetof());
        slab.pins--;
        if (slab.runs === 0) {
            if (inbox.chunk === changetype(slab))
                inbox.chunk = 0;
            (0, slab_1.slabIdle)(slab);
        }
    }
}
/** Appends to the inbox all entries of a run that are not of that channel. */
function keepOthers(inbox, run, slab, channel) {
    const end = run.at + run.bytes;
    let meta = run.metaFirst;
    const metaEnd = run.metaFirst + run.metas;
    let at = run.at;
    while (at < end) {
        const size = (0, entry_1.entrySize)(at);
        const hasMeta = meta < metaEnd && (0, records_1.metaAt)(slab, meta).entryAt === at;
        if ((0, entry_1.entryChannel)(at) !== channel &&
            (0, run_1.runAppend)(inbox, slab, at, size, 1, meta, hasMeta ? 1 : 0, hasMeta ? (0, records_1.metaAt)(slab, meta).deadline : Infinity)) {
            inbox.events++;
            inbox.bytes += size;
        }
        else {
            (0, statistics_1.statisticAdd)(abi_1.STATISTIC_DROPPED_LEFT, 1);
        }
        if (hasMeta)
            meta++;
        at += size;
    }
}
/** Ends all memberships of a connection and empties its inbox. */
function connectionLeaveAll(connection) {
    const inbox = changetype(connection.inbox);
    if (inbox.stalled !== 0) {
        (0, inbox_1.inboxRelease)(inbox);
    }
    while (inbox.head !== 0) {
        const run = changetype(inbox.head);
        (0, statistics_1.statisticAdd)(abi_1.STATISTIC_DROPPED_LEFT, run.events);
        (0, run_1.runRemove)(inbox, run);
    }
    while (connection.members !== 0) {
        const member = changetype(connection.members);
        const channel = (0, channel_1.channelAt)(member.channel);
        memberEnd(connection, member, channel);
        (0, publish_1.outboxesPump)(channel);
    }
}
/** Lets channels go on that an inbox of policy `block` held up, once it is below its release mark. */
function inboxReleaseIfDrained(inbox) {
    if (inbox.stalled === 0 || !(0, inbox_1.inboxBelowReleaseMark)(inbox))
        return;
    (0, inbox_1.inboxRelease)(inbox);
    for (let at = changetype(inbox.connection).members; at !== 0; at = changetype(at).nextOfConnection) {
        (0, publish_1.outboxesPump)((0, channel_1.channelAt)(changetype(at).channel));
    }
}
/** Sets capacity and overflow policy of a connection's inbox. Returns a status. */
function inboxConfigure(connection, capacityEvents, capacityBytes, overflow) {
    if (overflow > abi_1.OVERFLOW_DISCONNECT)
        return (0, result_1.resultStatus)(abi_1.STATUS_LIMIT, overflow, abi_1.OVERFLOW_DISCONNECT);
    if (capacityEvents === 0 || capacityBytes === 0)
        return (0, result_1.resultStatus)(abi_1.STATUS_LIMIT, 0, 1);
    const inbox = changetype(connection.inbox);
    const wasStrict = (0, inbox_1.inboxStrict)(inbox);
    inbox.overflow = overflow;
    inbox.capacityEvents = capacityEvents;
    inbox.capacityBytes = capacityBytes;
    const change = ((0, inbox_1.inboxStrict)(inbox) ? 1 : 0) - (wasStrict ? 1 : 0);
    for (let at = connection.members; at !== 0; at = changetype(at).nextOfConnection) {
        const member = changetype(at);
        if ((member.role & abi_1.ROLE_SINK) !== 0)
            (0, channel_1.channelAt)(member.channel).strictSinks += change;
    }
    if (overflow !== abi_1.OVERFLOW_BLOCK)
        (0, inbox_1.inboxTrim)(inbox);
    inboxReleaseIfDrained(inbox);
    return abi_1.STATUS_OK;
}
/** Removes a channel with all its members. */
function channelEnd(channel) {
    while (channel.sinks !== 0)
        leaveOne(changetype(load(channel.sinksAt)));
    if (channel.sources !== 0)
        leaveSources(channel.number);
    while (channel.outboxes !== 0)
        outboxDrop(channel);
    (0, types_1.typeSetRelease)(channel.types);
    (0, channel_1.channelFree)(channel);
}
function leaveOne(member) {
    const connection = (0, connection_1.connectionFind)(member.connection);
    if (connection !== null)
        memberLeave(connection, member.number);
}
/** Sources are in no list of their channel: removing one is rare, publishing is not. */
function leaveSources(channel) {
    const high = (0, member_1.memberTable)().high;
    for (let number = 1; number <= high; number++) {
        const member = (0, member_1.memberFind)(number);
        if (member !== null && member.channel === channel && member.connection !== 0)
            leaveOne(member);
    }
}
/** What waits in outboxes of a channel that is removed is discarded and counted. */
function outboxDrop(channel) {
    const source = changetype(channel.outboxes);
    channel.outboxes = source.nextOutbox;
    (0, statistics_1.statisticAdd)(abi_1.STATISTIC_DROPPED_LEFT, source.outboxEvents);
    let node = source.outboxHead;
    while (node !== 0) {
        const next = changetype(node).next;
        (0, heap_1.heapGive)(node, offsetof() + changetype(node).bytes);
        node = next;
    }
    (0, table_1.tableGive)((0, member_1.memberTable)(), source.number);
}
