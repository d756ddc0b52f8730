package bill

// Duration says how long an invocation of a function lasts. How long one
// lasted on the machine of a test says little about Lambda, so it is reckoned:
// what is waited for, and processor time that a part of a processor takes.
type Duration struct {
	WaitMS     float64 // for AWS and for subscribers, once per invocation: what is concurrent is waited for together
	InvokeCPU  float64 // ms of a whole processor per invocation
	MessageCPU float64 // ms of a whole processor per event (ingest, fanout) or attempt (delivery)
}

// Durations are the assumptions, by function. DynamoDB answers in 5 ms, SQS in
// 10 ms, a subscriber in 60 ms. Processor times are what TestTheBill logs on a
// busy development machine, with the starts in it.
var Durations = map[string]Duration{
	"ingest":   {WaitMS: 5 + 10, InvokeCPU: 1.5, MessageCPU: 0.15},
	"fanout":   {WaitMS: 5 + 5 + 10, InvokeCPU: 2, MessageCPU: 1.2},
	"delivery": {WaitMS: 5 + 60 + 5, InvokeCPU: 1, MessageCPU: 1},
}

// wholeProcessor is the memory, in MB, at which Lambda gives a function one
// processor; less memory is as much less of it.
const wholeProcessor = 1769

// GBSeconds reckons what so many invocations of a function use that handled so
// many messages together, with memory in MB.
func GBSeconds(function string, memory, invocations, messages float64) float64 {
	d := Durations[function]
	cpu := invocations*d.InvokeCPU + messages*d.MessageCPU
	ms := invocations*d.WaitMS + cpu*max(1, wholeProcessor/memory)
	return ms / 1000 * memory / 1024
}
