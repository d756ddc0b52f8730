// Package dynamostore keeps all of Postino's state in one DynamoDB table. It
// reads only with Get, BatchGet and paged Query.
//
// # Keys
//
// T is a tenant, S a subscription, E the hash of an event's source and id
// ([webhook.EventKey]), D a delivery id, N a version. T and S stand in keys as
// they are, since their characters are checked; anything else that a caller
// could have chosen is hashed. "0..7" is a shard: a hash of the sort key that
// spreads one list over that many partitions, merged again when it is read.
//
//	pk                sk              holds                                   expires
//	TENANTS t# c# s# v# w# x#         tenants, change log, subscriptions, waiting lines, trigger state: see package record
//	k# n# y# j# r# l# h# q#           keys, secrets, event types, jobs, statistics, leases, tallies,
//	SWEEP                             reservations, due pointers, the low-water mark: see package noun
//	e#T#E             E               event with its plan                     always
//	e#T#E             D#nonce         its data, if that expires earlier       always
//	e#T#E             P#plan#page    page of a large plan                    always
//	e#T#E             R#replay        plan of a replay                        always
//	e#T#E             O#D            pointer to a delivery with an occasion  always
//	d#T#tag#0..3      D               delivery                                once ended
//	d#T#tag#g         second#group    outcomes of a group of deliveries       once ended
//	d#T#tag#0..3      ~D/R            its body, from the first failure on     always
//	d#T#tag#0..3      ~D/A#n          its n-th attempt, unless all is well    always
//	SEALING           K               the data key that seals secrets, wrapped by KMS
//
// A delivery id names tenant and subscription (its tag), so that get by id and
// list by subscription read the same partitions without an index. If it also names
// a group ([webhook.Group]), the group's item decides who writes the delivery
// first, and tells all of it if it succeeded at once. All other deliveries have an
// item of their own, which, if it is there, says how the delivery stands.
//
//	GSI1  e#T#0..7 / time#E             events by acceptance, with all but their data
//	      d#T#status#0..7 / D           deliveries that have not succeeded
//	      o#T#0..7 / D                  pointers to deliveries with an occasion, which no plan names
//	GSI2  d#T#tag#status#0..3 / D       deliveries that have not succeeded, by subscription
//	      u#T#subject#0..7 / time#E     events that have a subject, by its hash; keys alone
//
// An event costs one unit in the table, one in GSI1, and one in GSI2 if it has a
// subject; a delivery that succeeds at once costs one unit in all, or a group of ten of
// them does. Both indexes
// also hold the attributes p1 to p4, which are spare. Nothing is decided by an index: deliveries
// that one names are read again from the table, and events never change.
//
// # Attributes
//
// Names are short because they are paid for. A text longer than fits into its
// item's first kilobyte is stored as gzip: the attribute is then of type B
// instead of S. Other bytes are of type B too, behind a zero. Times are nanoseconds since 1970 unless said otherwise.
//
//	any         expires  TTL in seconds     k  random mark of the call that wrote it
//	event       id, so source, ty type, su subject, ti time (RFC 3339), ex extensions, da data,
//	            ac accepted (ms), nn nonce, pl plan "S:N S:N", pp pages, pn their key, pt total, xp expunged, dx data apart
//	delivery    e event id, o source, s subscription, v version, oc occasion, n count, st status, w waiting,
//	            r reason, ro round, sp step, nx next, at attempts, c created, en ended,
//	            ws waiting since, dg digest, la last attempt (JSON), ct cu claim, rv writes so far
//	group       os outcomes (JSON, deflated with a dictionary: see type entry), rv writes so far
//	part        a attempt (JSON); m method, y content type, b body, in inserts (JSON)
//	data key    b wrapped
//
// # Expiry
//
// What has expired is as if it were not there, whenever DynamoDB removes it;
// trigger state alone is returned, for package trigger to judge.
// Events, plan pages and the parts of deliveries expire by [Store.Retention]
// and 5 days after they were written. A group and a delivery expire by Retention after
// they ended, never before. A write of a delivery whose event is so old that
// it would be missed moves the event's and the parts' expiry on, so that whatever
// waits can still be sent. So does a trigger's timer that is far ahead, and a replay, with
// its event.
package dynamostore
