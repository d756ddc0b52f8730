// Package people decides what events say about the profiles of their subjects:
// it compiles the rules of computed attributes and the conditions of segments, and
// applies events to profiles. It reads and stores nothing.
//
// A computed attribute depends only on which events were applied, not on the order
// in which they came: each event is applied once, and where one of several values
// is kept, the time of the events decides, then the order of their acceptance. Two
// exceptions keep profiles small: a set that is full takes no more values, and a
// profile that is full takes no longer ones.
package people
