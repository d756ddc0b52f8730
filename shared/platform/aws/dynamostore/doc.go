// Package dynamostore keeps all of Postino's state in one DynamoDB table. It is the
// table of packages record and noun, which know what is stored, and the place of the
// data key that seals secrets. It reads only with Get, BatchGet and paged Query.
//
// # Keys
//
// Package noun documents the keys of nouns, and package record those of records, as one
// place has them. Here they are spread: see the type spreading there. T is a tenant, S a
// subscription, E the key of an event ([webhook.EventKey]), D a delivery's id, N a
// version, tag what a delivery's id says of tenant and subscription. T and S stand in keys as
// they are, since their characters are checked; anything else that a caller
// could have chosen is hashed. "0..7" is a shard: a hash of the sort key that
// spreads one list over that many partitions, merged again when it is read.
//
//	pk                sk              holds                                   expires
//	TENANTS           T               the tenant is known
//	t#T               V               its change counter, its last deletion
//	c#T               N               change log: a subscription changed      7 d
//	s#T#0..7          S               head of a subscription
//	v#T#S             N               immutable version of a subscription     once superseded
//	w#T#S#0..3        D               waiting line
//	x#T#S#0..15       epoch#key#part  trigger state of one key                as its writer says
//	e#T#E             !               event with its plan                     always
//	e#T#E             D#nonce         its data, if that expires earlier       always
//	e#T#E             P#plan#page     page of a large plan                    always
//	e#T#E             R#replay        plan of a replay                        always
//	e#T#E             O#D             names a delivery with an occasion       always
//	d#T#tag#0..3      D               delivery                                once ended
//	d#T#tag#0..3      ~D#R, ~D#A#n    its body, its attempts                  always
//	dg#T#tag          second#group    outcomes of a group of deliveries       once ended
//	SEALING           K               the data key that seals secrets, wrapped by KMS
//
//	GSI1  e#T#0..7 / time#E             events by acceptance, with all but their data
//	      d#T#status#0..7 / D           deliveries that have not succeeded
//	      o#T#0..7 / D                  deliveries with an occasion, which no plan names
//	GSI2  d#T#tag#status#0..3 / D       deliveries that have not succeeded, by subscription
//	      u#T#subject#0..7 / time#E     events that have a subject, by its hash; keys alone
//
// An event costs one unit in the table, one in GSI1, and one in GSI2 if it has a
// subject; a delivery that succeeds at once costs one unit in all, or a group of ten of
// them does. GSI1 holds the fields [record.Listed] beside keys. Both indexes
// also hold the attributes p1 to p4, which are spare. Nothing is decided by an index: deliveries
// that one names are read again from the table, and events never change.
//
// # Attributes
//
// An attribute is a field of a record or noun, under the same name. A text has "_" behind
// its name. If its item is longer than a kilobyte, it is stored as gzip, of type B
// instead of S. Bytes that are no UTF-8 are of type B too, behind a zero. Beside fields there are
//
//	expires   TTL in seconds
//	k         a random mark of the call that wrote the item, by which a repeat of the SDK's knows its own work
//
// What has expired is as if it were not there, whenever DynamoDB removes it.
package dynamostore
