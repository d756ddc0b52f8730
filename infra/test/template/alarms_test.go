package template

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// alarm is one alarm, as what it watches.
type alarm struct {
	metric, of string // of: the resource that the metric's first dimension names
}

// alarms returns the ids of all alarms by what they watch.
func alarms(template object) map[alarm]string {
	found := map[alarm]string{}
	for id, a := range resources(template, "AWS::CloudWatch::Alarm") {
		for _, metric := range append(list(a["Metrics"]), object{"MetricStat": object{"Metric": a}}) {
			name := text(at(metric, "MetricStat", "Metric", "MetricName"))
			for _, d := range list(at(metric, "MetricStat", "Metric", "Dimensions")) {
				found[alarm{name, target(at(d, "Value"))}] = id
				break
			}
		}
	}
	return found
}

// failures are the metrics of what a function does wrong without an error of
// the invocation. Sweep has no such.
var failures = map[string]string{
	"Ingest": "requests_failed", "Manage": "requests_failed", "Fanout": "messages_failed", "Delivery": "messages_failed",
}

// A queue or function that is added without its alarms fails this test.
func TestEveryQueueFunctionTableAndAPIHasItsAlarms(t *testing.T) {
	template := read(t)
	watched := alarms(template)
	var want []alarm
	consumed := map[string]bool{"Exhausted": true} // holds what subscribers refused: their trouble, and nobody consumes it
	for _, m := range mappings(template) {
		consumed[m.queue] = true
		want = append(want, alarm{"ApproximateAgeOfOldestMessage", m.queue}, alarm{"ApproximateNumberOfMessagesNotVisible", m.queue})
	}
	for queue := range resources(template, "AWS::SQS::Queue") {
		if !consumed[queue] {
			want = append(want, alarm{"ApproximateNumberOfMessagesVisible", queue})
		}
	}
	for function := range functions(template) {
		if metric := failures[function]; metric != "" {
			want = append(want, alarm{metric, function})
		}
		want = append(want, alarm{"Errors", function}, alarm{"Throttles", function}, alarm{"Duration", function})
	}
	want = append(want, alarm{"sweep_lag", "Sweep"}, alarm{"5xx", "Api"}, alarm{"SystemErrors", "Table"}, alarm{"ReadThrottleEvents", "Table"}, alarm{"WriteThrottleEvents", "Table"})
	for _, a := range want {
		if watched[a] == "" {
			t.Errorf("no alarm watches %s of %s", a.metric, a.of)
		}
		delete(watched, a)
	}
	for a, id := range watched {
		t.Errorf("%s watches %s of %s, of which this test knows nothing", id, a.metric, a.of)
	}
}

func TestAlarmsGoOffAtTheirBounds(t *testing.T) {
	template := read(t)
	all := resources(template, "AWS::CloudWatch::Alarm")
	for a, id := range alarms(template) {
		properties := all[id]
		want, comparison, missing := any(0), "GreaterThanThreshold", "notBreaching"
		switch a.metric {
		case "ApproximateAgeOfOldestMessage":
			want = properties["Threshold"] // chosen, for each queue
			if number(want) < 60 && target(want) != "BacklogAge" {
				t.Errorf("%s goes off at an age of %v", id, want)
			}
		case "ApproximateNumberOfMessagesNotVisible":
			want = 80_000 // of SQS's 120,000
		case "Duration":
			want, comparison = number(functions(template)[a.of]["Timeout"])*800, "GreaterThanOrEqualToThreshold" // ms, 80 % of the timeout
			if properties["ExtendedStatistic"] != "p99" {
				t.Errorf("%s looks at %v, want p99", id, properties["ExtendedStatistic"])
			}
		case "sweep_lag":
			want, missing = 300, "breaching" // silence is the fault
		}
		got := object{"Threshold": properties["Threshold"], "ComparisonOperator": properties["ComparisonOperator"], "TreatMissingData": properties["TreatMissingData"]}
		if diff := cmp.Diff(object{"Threshold": want, "ComparisonOperator": comparison, "TreatMissingData": missing}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
		if number(properties["DatapointsToAlarm"]) > number(properties["EvaluationPeriods"]) {
			t.Errorf("%s can never go off", id)
		}
	}
}

// Indexes throttle the writes of the table.
func TestTheThrottleAlarmWatchesTableAndIndexes(t *testing.T) {
	template := read(t)
	var got []string
	for _, metric := range list(resources(template, "AWS::CloudWatch::Alarm")["TableThrottlesAlarm"]["Metrics"]) {
		m := at(metric, "MetricStat", "Metric")
		name := text(at(m, "MetricName"))
		for _, d := range list(at(m, "Dimensions")) {
			if at(d, "Name") == "GlobalSecondaryIndexName" {
				name += " " + text(at(d, "Value"))
			}
		}
		if name != "" {
			got = append(got, name)
		}
	}
	var want []string
	for _, m := range []string{"ReadThrottleEvents", "WriteThrottleEvents"} {
		want = append(want, m)
		for _, index := range list(resources(template, "AWS::DynamoDB::Table")["Table"]["GlobalSecondaryIndexes"]) {
			want = append(want, m+" "+text(at(index, "IndexName")))
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the alarm watches (-want +got):\n%s", diff)
	}
}

const operations = "https://github.com/postino/postino/blob/main/docs/operations.md#"

// Whoever is woken by an alarm finds in it the heading that says what to do.
func TestEveryAlarmTellsPeopleAndHasItsHeading(t *testing.T) {
	page, err := os.ReadFile("../../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	template := read(t)
	headings := map[string]bool{}
	for line := range strings.Lines(string(page)) {
		if name, ok := strings.CutPrefix(line, "#### "); ok {
			headings[strings.TrimSpace(name)] = true
		}
	}
	for id, a := range resources(template, "AWS::CloudWatch::Alarm") {
		name, _ := strings.CutPrefix(text(at(a["AlarmName"], "Fn::Sub")), "${AWS::StackName}-")
		if !strings.HasSuffix(text(a["AlarmDescription"]), " "+operations+name) {
			t.Errorf("%s does not lead to its heading: %s", id, a["AlarmDescription"])
		}
		if !headings[name] {
			t.Errorf("docs/operations.md has no heading #### %s", name)
		}
		delete(headings, name)
		for _, actions := range []string{"AlarmActions", "OKActions"} {
			if got := list(a[actions]); len(got) != 1 || target(got[0]) != "AlarmTopic" {
				t.Errorf("%s: %s %v, want the topic", id, actions, got)
			}
		}
		if got := at(template["Resources"], id, "Condition"); got != "AlarmsOn" {
			t.Errorf("%s has the condition %v", id, got)
		}
	}
	for name := range headings {
		t.Errorf("docs/operations.md tells of the alarm %s, which is not there", name)
	}
}

// CloudWatch cannot publish to a topic that is encrypted with the key that AWS manages.
func TestTheTopicIsEncryptedWithAKeyThatCloudWatchMayUse(t *testing.T) {
	template := read(t)
	topic := resources(template, "AWS::SNS::Topic")["AlarmTopic"]
	key := target(topic["KmsMasterKeyId"])
	mayUse := false
	for _, s := range list(at(resources(template, "AWS::KMS::Key")[key]["KeyPolicy"], "Statement")) {
		if at(s, "Principal", "Service") == "cloudwatch.amazonaws.com" {
			mayUse = slices.Equal(list(at(s, "Action")), []any{"kms:Decrypt", "kms:GenerateDataKey*"}) && ownAlarmsOnly(s)
		}
	}
	if !mayUse {
		t.Errorf("CloudWatch may not use %s for this stack's alarms", key)
	}
	denied := false
	for _, s := range list(at(resources(template, "AWS::SNS::TopicPolicy")["AlarmTopicPolicy"]["PolicyDocument"], "Statement")) {
		if at(s, "Effect") == "Deny" {
			denied = at(s, "Condition", "Bool", "aws:SecureTransport") == "false"
		} else if at(s, "Principal", "Service") != "cloudwatch.amazonaws.com" || !ownAlarmsOnly(s) {
			t.Errorf("%v may publish alarms", at(s, "Principal"))
		}
	}
	if !denied {
		t.Error("the topic takes plain HTTP")
	}
}

// ownAlarmsOnly reports whether a statement holds only for alarms of this stack.
func ownAlarmsOnly(s any) bool {
	return at(s, "Condition", "StringEquals", "aws:SourceAccount") != nil &&
		strings.HasSuffix(text(at(s, "Condition", "ArnLike", "aws:SourceArn", "Fn::Sub")), ":alarm:${AWS::StackName}-*")
}
