// Package pattern decides which subscriptions an event matches, with
// EventBridge event patterns.
//
// [Compile] reads a pattern, [Decode] an event, [Pattern.Match] compares the two, and an [Index] finds the matches
// among all subscriptions of a tenant. [ParsePath] and [Event.Lookup] find single values in the same decoded form.
//
// # Patterns
//
// A pattern is an object that follows the event's shape. Its roots are id, source, type, subject, time, data and
// extensions. Every field that it names must be met; a field's list is met by any value in it:
//
//	{ "source": ["/shop"], "data": { "cabin": [{ "anything-but": "award" }], "legs": { "to": ["LHR", "JFK"] } } }
//
//	"a", 1, true, null                        exactly that; 1e2, 100 and 100.0 are one number
//	{"prefix": "a"}, {"suffix": "a"}          strings that begin, end so; {"prefix": {"equals-ignore-case": "a"}}
//	{"wildcard": "a*b"}                       * is any text, \* a star, \\ a backslash; no two * in a row
//	{"equals-ignore-case": "a"}               strings that differ in case only
//	{"numeric": [">", 0, "<=", 5]}            =, <, <=, > or >= and a number; or a lower and then an upper bound
//	{"cidr": "10.0.0.0/8"}                    strings that are IPv4 or IPv6 addresses of the block
//	{"exists": true}, {"exists": false}       any value, even null; no value (objects and empty arrays are none)
//	{"anything-but": …}                       any value except a string, a number, a list of strings or of numbers,
//	                                          or {"prefix" | "suffix" | "wildcard" | "equals-ignore-case": …},
//	                                          each with a string or a list of strings
//	{"exactly": "a"}                          that string, even if it looks like an address
//	"$or": [{…}, {…}]                         in place of a field: any of the objects, at any level, also nested
//
// A string that is an IP address is met by every way to write that address. Names with dots are paths, in patterns
// as in events: "a.b" is b within a.
//
// Where the event has an array, each of its values is tried. Matching is array-consistent: all fields that a pattern
// names below an array must be met in the same element. Fields are settled in the order of their paths; a field is
// missing if no value that is still open then is at its path. So {"y": [1], "z": [{"exists": false}]} finds an element
// with y 1 and without z, but {"y": [{"exists": false}], "z": [2]} wants no element at all to have y.
//
// # Agreement with event-ruler
//
// All this is as in AWS's open-source event-ruler (software.amazon.event.ruler:event-ruler 2.1.0, rulesForJSONEvent,
// one rule in a machine), which the tests compare on 100,000 random pairs. What Compile takes, event-ruler takes, and
// the answers are equal. Compile refuses some of what event-ruler takes:
//
//	refused                                             event-ruler
//	other roots than the seven; fields below a string   takes any field
//	a key twice; a path twice, also by dots or $or      the last one counts
//	an empty name in a path ("", "a..b")                takes it; events with such keys are not looked into
//	exact numbers that a float64 does not keep, such    compares their text
//	as 9007199254740993 or 1e400
//	characters beyond U+FFFF with equals-ignore-case    each becomes "??"
//	half a surrogate pair, invalid UTF-8                becomes "?"
//	"$or" that is no list of two or more objects        a field called $or, at times
//	masks written as "+8" or "8/"                       takes them
//	text after the pattern                              ignores it
//	patterns beyond [MaxSize], [MaxDepth], [MaxBranches], [MaxValues], [MaxTests], [MaxWeight]; a wildcard with more than 32 *
//
// An event with a key twice, invalid UTF-8 or half a surrogate pair cannot be decoded; event-ruler reads it somehow.
//
// # Inherited oddities
//
// These are event-ruler's, kept so that a pattern means the same here and there:
//
//   - Numbers that a float64 cannot print again as written are equal to nothing and in no range, not even > 0; they
//     do meet anything-but. Which numbers of 17 digits those are depends on the Java release: ours are as in Java 19
//     and later.
//   - Addresses are compared as hexadecimal digits, from the left, until one decides. So 10.0.0.0/8 is met by
//     "a00::1", and numbers count as digits where no other value of the list is a number: 16.0.0.0/4 is met by 17.
//   - "010.0.0.1" is 10.0.0.1 (not octal), "::ffff:a00:1" is 10.0.0.1; blocks have at least one free bit: no /32.
//   - Strings carry their quotes: {"prefix": "ab\""} is met by "ab", and {"suffix": "\"ab"} too.
//   - equals-ignore-case lets each character of the pattern be its lower or its upper case by itself: "straße" is met
//     by "STRASSE", but not the other way; "ǅ" is met by "ǆ" and "Ǆ", but not by "ǅ". Cases are those of Unicode 15,
//     where event-ruler follows its Java release.
//   - Within $or, names such as prefix, numeric, exists, regex or date-before cannot be fields.
//
// # Where event-ruler disagrees with itself
//
// In about one of 10,000 random pairs its answer depends on how it is asked. Ours is then the one that follows from
// the rules above:
//
//   - A few lists make its automaton lose or invent a match: ["a", {"numeric": [">", -1, "<", 1]}, {"wildcard": "*b"}]
//     is not met by "a", although ["a"] is. Ours is what its answers to the alternatives one by one add up to.
//   - In events that spell one path twice, {"a.b": 1, "a": [{"b": 2}]}, its newer matcher can lose values that its
//     older one finds. Ours is the older one's; a combination of $or that tries 100,000 values there does not match.
//
// # Cost
//
// Lists of more than eight values of one kind are one look-up: exact values in maps, prefixes and suffixes by halving a
// sorted list of which none begins another one, ranges by halving their union, blocks of addresses by their common
// digits. What is left is paid for in steps, so that no pattern and no event takes more than [MaxSteps]: see [Verdict].
//
// # Index
//
// An [Index] files a subscription under the values that an event must have to match it: of each combination of $or,
// the field expected to let the fewest other events in, by the kind of its values and by how many subscriptions are
// filed at the same ones already. Exact values are found by look-up, prefixes, suffixes and addresses by one look-up
// for each length that occurs, ranges in a tree. A list of types counts as a field. What an event finds is checked in
// full. So time follows the candidates; only conditions that a missing value meets cannot be used, and a subscription
// that has nothing else is a candidate for every event.
package pattern
