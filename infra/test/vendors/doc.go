// Package vendors proves that receivers of other senders go on verifying: its
// test sends callbacks with each preset of a subscription's signature, and has
// the senders' own libraries verify the first attempt and the fourth.
package vendors
