package template

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/retry"
)

// environment returns a function's variables.
func environment(function object) object {
	variables, _ := at(function, "Environment", "Variables").(object)
	return variables
}

func TestTheFiveStagesAreFunctions(t *testing.T) {
	folders := map[string]string{}
	for id, f := range functions(read(t)) {
		folders[id] = text(f["CodeUri"])
		if f["FunctionName"] != nil {
			t.Errorf("%s has the name %v, for which a long name of the stack leaves no room", id, f["FunctionName"])
		}
	}
	want := map[string]string{
		"Ingest": "functions/ingest/", "Fanout": "functions/fanout/", "Delivery": "functions/delivery/",
		"Manage": "functions/manage/", "Sweep": "functions/sweep/",
	}
	if diff := cmp.Diff(want, folders); diff != "" {
		t.Errorf("functions (-want +got):\n%s", diff)
	}
}

// What a variable holds does not depend on the function that reads it.
func TestVariablesNameTheSameThingEverywhere(t *testing.T) {
	want := map[string]string{
		"POSTINO_TABLE":             "Table",
		"POSTINO_RETENTION":         "Retention",
		"POSTINO_PAYLOAD_RETENTION": "PayloadRetention",
		"POSTINO_ONCE_RETENTION":    "OnceRetention",
		"POSTINO_QUEUE_EVENTS":      "Events",
		"POSTINO_QUEUE_DELIVERIES":  "Deliveries",
		"POSTINO_QUEUE_RETRIES":     "Retries",
		"POSTINO_QUEUE_RESEND":      "Resend",
		"POSTINO_QUEUE_EXHAUSTED":   "Exhausted",
		"POSTINO_MAX_BACKLOG":       "MaxBacklog",
		"POSTINO_MAX_SUBSCRIPTIONS": "MaxSubscriptions",
		"POSTINO_STRICT_TYPES":      "StrictTypes",
		"POSTINO_STRICT_TENANTS":    "StrictTenants",
		"POSTINO_KMS_KEY":           "SealingKey",
		"POSTINO_ADMIN_KEY_SECRET":  "AdminKey",
		"POSTINO_EGRESS_ALLOW":      "EgressAllow",
		"POSTINO_EGRESS_PORTS":      "EgressPorts",
		"POSTINO_LOG_LEVEL":         "LogLevel",
		"POSTINO_METRICS":           "Metrics",
		"POSTINO_API_HOST":          "Api",
	}
	for function, properties := range functions(read(t)) {
		for name, v := range environment(properties) {
			if target(v) != want[name] {
				t.Errorf("%s: %s is %v, want %s", function, name, v, want[name])
			}
		}
	}
}

// A variable that the code does not read is clutter, one that it reads and does not get stops it at start.
func TestFunctionsReadExactlyTheVariablesThatTheyGet(t *testing.T) {
	for function, properties := range functions(read(t)) {
		reads := append(variablesIn(t, filepath.Join("../../..", text(properties["CodeUri"]))), readByAll...)
		slices.Sort(reads)
		gets := slices.Sorted(maps.Keys(environment(properties)))
		if diff := cmp.Diff(gets, reads); diff != "" {
			t.Errorf("%s: variables (-template +main.go):\n%s", function, diff)
		}
	}
}

// readByAll is what setup reads for every function.
var readByAll = []string{"POSTINO_LOG_LEVEL", "POSTINO_METRICS"}

var quotedVariable = regexp.MustCompile(`"(POSTINO_[A-Z_]+)"`)

// variablesIn lists, sorted, the variables that the Go files of a folder name, tests aside.
func variablesIn(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s holds no Go files (%v)", folder, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range quotedVariable.FindAllSubmatch(source, -1) {
			names = append(names, string(m[1]))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Each waits longer than the one before: the attempt, the work on a request, the function, API Gateway.
func TestTheWorkOnARequestEndsBeforeItsFunctionDoes(t *testing.T) {
	template := read(t)
	const work = 25 * time.Second // of a route that says nothing else; see httpapi.Route
	function := time.Duration(number(functions(template)["Ingest"]["Timeout"])) * time.Second
	gateway := time.Duration(number(at(template, "Resources", "IngestIntegration", "Properties", "TimeoutInMillis"))) * time.Millisecond
	if !(work < function && function < gateway) {
		t.Errorf("the work on a request takes up to %v, the function %v, API Gateway %v: want each longer than the one before", work, function, gateway)
	}
}

func TestATestOfASubscriberIsWaitedForByAll(t *testing.T) {
	template := read(t)
	function := time.Duration(number(functions(template)["Manage"]["Timeout"])) * time.Second
	gateway := time.Duration(number(at(template, "Resources", "ManageIntegration", "Properties", "TimeoutInMillis"))) * time.Millisecond
	if !(retry.MaxTimeout < httpapi.Longest && httpapi.Longest < function && function < gateway) {
		t.Errorf("an attempt takes up to %v, the work on a request %v, the function %v, API Gateway %v: want each longer than the one before",
			retry.MaxTimeout, httpapi.Longest, function, gateway)
	}
}

func TestSweepRunsEachMinuteAndIsNotRunAgain(t *testing.T) {
	sweep := functions(read(t))["Sweep"]
	schedule := at(sweep, "Events", "EachMinute", "Properties")
	if got := text(at(schedule, "ScheduleExpression")); got != "rate(1 minute)" {
		t.Errorf("sweep runs at %s", got)
	}
	if got := target(at(schedule, "Name")); got != "Sweep" {
		t.Errorf("schedule name %q, want one that two stacks do not share", got)
	}
	for who, retries := range map[string]any{
		"the schedule": at(schedule, "RetryPolicy", "MaximumRetryAttempts"),
		"Lambda":       at(sweep, "EventInvokeConfig", "MaximumRetryAttempts"),
	} {
		if retries != 0 {
			t.Errorf("%s runs a failed sweep %v times again, beside the next minute's", who, retries)
		}
	}
}

func TestLogsAreJSONAndExpire(t *testing.T) {
	template := read(t)
	groups := resources(template, "AWS::Logs::LogGroup")
	for id, g := range groups {
		if target(g["RetentionInDays"]) != "LogRetention" {
			t.Errorf("%s is kept for ever", id)
		}
	}
	for function, properties := range functions(template) {
		logging := properties["LoggingConfig"]
		if groups[target(at(logging, "LogGroup"))] == nil || at(logging, "LogFormat") != "JSON" {
			t.Errorf("%s logs to %v, want JSON in a group of this template", function, logging)
		}
		// Lambda takes a line without a level, such as a metric, for INFO, and would drop it at WARN. Functions
		// filter by POSTINO_LOG_LEVEL themselves.
		if at(logging, "ApplicationLogLevel") != "INFO" {
			t.Errorf("%s: Lambda would drop its metrics", function)
		}
	}
}
