// Package e2e tests Postino from the outside: each file of scenarios/ is a
// story of API requests and callbacks. The tests run every story twice, in
// local mode and through the built Lambda functions.
//
// The functions run as they do on AWS: as processes that ask a Lambda Runtime
// API for work, with the queues, mappings, timeouts and environment that
// template.yaml gives them. What AWS adds is played by the tests: API Gateway
// in front, event source mappings with partial batch responses behind SQS, and
// the schedule. DynamoDB and SQS are local servers (see infra/tools); of KMS
// and Secrets Manager only the three calls that are made are answered.
//
// What needs code beside data is a scenario (scenario_*_test.go), played in both
// ways too; docs/testing.md lists what shows what.
//
// # A story
//
// A story is an object with "about", a sentence; "subscribers", how each path
// of the receiver answers, its last answer for ever; "endpoints", the same for
// paths that get other requests than callbacks; and "steps", which do one thing
// each:
//
//	call      a request, "METHOD /path"; with "headers", "body" (JSON) or "text"
//	answers   subscribers that answer otherwise from now on
//	receive   a path whose callbacks have come: waits for "count" of them
//	advance   a duration that passes: on a test clock, or really
//	redrive   so many messages move from exhausted to resend, as in the SQS console
//
// A call's answer has the "status" and contains "want": objects may have more
// fields, lists have just these elements. "until" asks again until it does.
// "times" makes the call so often at once, with $n counting from 0. "secret"
// names the path whose callbacks the answer's secret verifies from then on, as
// all before it do. "spaced" is the least time between the answer's attempts.
//
// A receive looks at all callbacks of its path: how many there are, that "each"
// contains the headers and body given, that "got" lists them in order, that
// "ids" is the number of different deliveries, and that those of one delivery
// have one body. A callback whose signature is wrong fails the story at once,
// and so do a callback too many or a dead letter until its end.
//
// In a wanted value "$name" holds what was found there before under this name,
// or is found now; "$_" is anything but null. In what is sent $name stands for
// the value; $receiver is the receiver's address, $secure the same by https. Its
// certificate is from $authority, as is $certificate, whose key is $private_key;
// the name in the certificate that a client shows is the header tls-client.
package e2e
