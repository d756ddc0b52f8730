package template

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	fourteenDays = 14 * 24 * 3600 // the longest that SQS keeps a message, in seconds
	mebibyte     = 1 << 20        // the largest message that SQS takes; the default is a quarter of it
)

func TestEachQueueHasItsConsumerAndItsDeadLetterQueue(t *testing.T) {
	template := read(t)
	type way struct{ consumer, dead string }
	got := map[string]way{}
	queues := resources(template, "AWS::SQS::Queue")
	for _, m := range mappings(template) {
		policy := queues[m.queue]["RedrivePolicy"]
		got[m.queue] = way{m.function, target(at(policy, "deadLetterTargetArn"))}
		if n := number(at(policy, "maxReceiveCount")); n < 20 {
			t.Errorf("%s: maxReceiveCount %d, want 20: a throttled function uses up receives", m.queue, n)
		}
	}
	want := map[string]way{
		"Events":     {"Fanout", "EventsDead"},
		"Deliveries": {"Delivery", "DeliveriesDead"},
		"Retries":    {"Delivery", "RetriesDead"},
		"Resend":     {"Delivery", "Exhausted"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(way{})); diff != "" {
		t.Errorf("consumers and dead-letter queues (-want +got):\n%s", diff)
	}
}

func TestQueuesKeepWhatTheyHold(t *testing.T) {
	queues := resources(read(t), "AWS::SQS::Queue")
	for id, q := range queues {
		if q["QueueName"] != nil {
			t.Errorf("%s has the name %v, for which a long name of the stack leaves no room", id, q["QueueName"])
		}
		for property, want := range map[string]int{"MessageRetentionPeriod": fourteenDays, "MaximumMessageSize": mebibyte} {
			if got := number(q[property]); got != want {
				t.Errorf("%s: %s %d, want %d", id, property, got, want)
			}
		}
		if q["SqsManagedSseEnabled"] != "true" {
			t.Errorf("%s is not encrypted", id)
		}
	}
	want := []string{"Deliveries", "DeliveriesDead", "Events", "EventsDead", "Exhausted", "Resend", "Retries", "RetriesDead"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(queues))); diff != "" {
		t.Errorf("queues (-want +got):\n%s", diff)
	}
}

func TestQueuesRefuseWhatIsNotTLS(t *testing.T) {
	template := read(t)
	guarded := map[string]bool{}
	for id, p := range resources(template, "AWS::SQS::QueuePolicy") {
		s := list(at(p["PolicyDocument"], "Statement"))[0]
		if at(s, "Effect") != "Deny" || at(s, "Principal") != "*" || at(s, "Action") != "sqs:*" ||
			at(s, "Condition", "Bool", "aws:SecureTransport") != "false" {
			t.Errorf("%s: %v does not deny plain HTTP", id, s)
		}
		for _, q := range list(p["Queues"]) {
			guarded[target(q)] = target(at(s, "Resource")) == target(q)
		}
	}
	for id := range resources(template, "AWS::SQS::Queue") {
		if !guarded[id] {
			t.Errorf("%s has no policy that refuses plain HTTP", id)
		}
	}
}

func TestMessagesStayInvisibleForSixTimeoutsOfTheirConsumer(t *testing.T) {
	template := read(t)
	queues := resources(template, "AWS::SQS::Queue")
	for _, m := range mappings(template) {
		visibility := number(queues[m.queue]["VisibilityTimeout"])
		timeout := number(functions(template)[m.function]["Timeout"])
		if timeout == 0 || visibility < 6*timeout {
			t.Errorf("%s: invisible for %d s, want at least six times %s's timeout of %d s", m.queue, visibility, m.function, timeout)
		}
	}
}

func TestMappingsReportPartialFailuresAndHaveTheirOwnConcurrency(t *testing.T) {
	concurrency := map[string]string{}
	for _, m := range mappings(read(t)) {
		if got := list(m.properties["FunctionResponseTypes"]); !slices.Contains(got, any("ReportBatchItemFailures")) {
			t.Errorf("%s: one bad message would fail its whole batch", m.queue)
		}
		if _, filtered := m.properties["FilterCriteria"]; filtered {
			t.Errorf("%s: a filter deletes what does not match", m.queue)
		}
		limit := target(at(otherwise(m.properties["ScalingConfig"]), "MaximumConcurrency"))
		if other := concurrency[limit]; limit == "" || other != "" {
			t.Errorf("%s: concurrency %q, want a parameter of its own (another is %q)", m.queue, limit, other)
		}
		concurrency[limit] = m.queue
	}
}

// Lambda follows a message from function to function and stops at the sixteenth visit of one.
func TestFunctionsInALoopOfQueuesMayRecur(t *testing.T) {
	template := read(t)
	next := map[string][]string{} // functions that receive what a function sends
	for function := range functions(template) {
		for _, queue := range allowed(t, template, function, "sqs:SendMessage") {
			for _, m := range mappings(template) {
				if m.queue == queue {
					next[function] = append(next[function], m.function)
				}
			}
		}
	}
	loops := []string{"Sweep"} // its loop goes through the table: retries, delivery, due pointer
	for function := range next {
		if reachable(next, function)[function] {
			loops = append(loops, function)
		}
	}
	slices.Sort(loops)
	if diff := cmp.Diff([]string{"Delivery", "Fanout", "Sweep"}, loops); diff != "" {
		t.Errorf("functions in loops (-want +got):\n%s", diff)
	}
	for _, function := range loops {
		if functions(template)[function]["RecursiveLoop"] != "Allow" {
			t.Errorf("%s is in a loop that Lambda would stop", function)
		}
	}
}

// reachable returns where one gets from a function by one step or more.
func reachable(next map[string][]string, from string) map[string]bool {
	seen := map[string]bool{}
	for todo := slices.Clone(next[from]); len(todo) > 0; todo = todo[1:] {
		if !seen[todo[0]] {
			seen[todo[0]] = true
			todo = append(todo, next[todo[0]]...)
		}
	}
	return seen
}

// SQS gives turns to message groups on standard queues only: on a FIFO queue a
// group whose subscriber hangs would stop behind its first message. Each queue has
// executions of its own, more than the few that the messages in hand of a greedy
// tenant's groups may take before SQS notices (30 messages, of ten in a batch).
func TestATenantsMessagesLeaveExecutionsToOthers(t *testing.T) {
	template := read(t)
	const noticed = 30 // messages in flight of one group
	parameters := template["Parameters"].(object)
	for _, m := range mappings(template) {
		queue := resources(template, "AWS::SQS::Queue")[m.queue]
		if queue["FifoQueue"] != nil || queue["ContentBasedDeduplication"] != nil {
			t.Errorf("%s is a FIFO queue, want a standard one, whose groups take turns", m.queue)
		}
		name := target(at(otherwise(m.properties["ScalingConfig"]), "MaximumConcurrency"))
		batch, executions := number(m.properties["BatchSize"]), number(at(parameters[name], "Default"))
		if batch == 0 || batch > 10 {
			t.Errorf("%s: %d messages in a batch, want up to 10: who shares a batch waits for all of it", m.queue, batch)
		}
		if executions*batch <= noticed {
			t.Errorf("%s: %d executions of %d messages, want more than %d messages in hand, or one group takes them all unnoticed", m.queue, executions, batch, noticed)
		}
	}
}
