// Package setup does what every function does first: it reads the settings from
// the environment, which template.yaml sets, and makes the clients.
package setup

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/postino/postino/shared/measure/metric"
	"github.com/postino/postino/shared/measure/results"
	"github.com/postino/postino/shared/measure/stats"
	"github.com/postino/postino/shared/measure/stdlog"
	"github.com/postino/postino/shared/platform/aws/dynamostore"
	"github.com/postino/postino/shared/platform/aws/sqsqueue"
	"github.com/postino/postino/shared/webhook"
)

// Function is one function's settings and clients.
type Function struct {
	AWS     aws.Config
	Log     *slog.Logger
	Metrics metric.Embedded
	Stats   *stats.Recorder // nil unless Statistics was called
	results *results.Recorder
	values  map[string]string
}

// New reads the named variables, and those of the log: its level, and whether
// metrics are written into it. A missing variable ends the
// process with its name: that is a mistake in template.yaml, which a start that
// went on would only hide. An empty one is a setting.
func New(names ...string) *Function {
	f := &Function{values: map[string]string{}, Metrics: metric.Embedded{Out: os.Stdout}}
	var missing []string
	for _, name := range append(names, "POSTINO_LOG_LEVEL", "POSTINO_METRICS") {
		value, ok := os.LookupEnv(name)
		if !ok {
			missing = append(missing, name)
		}
		f.values[name] = value
	}
	if len(missing) > 0 {
		Fail(fmt.Errorf("missing environment variables: %s", strings.Join(missing, ", ")))
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(f.values["POSTINO_LOG_LEVEL"])); err != nil {
		Fail(fmt.Errorf("POSTINO_LOG_LEVEL: %w", err))
	}
	f.Log = slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{Level: level}))
	stdlog.Route(f.Log)
	if f.values["POSTINO_METRICS"] == "off" {
		f.Metrics.Out = io.Discard // each is paid for in every month in which it is written
	}
	limitHeap(os.Getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
	f.AWS = fromLambda(sdkLog{f.Log})
	return f
}

// limitHeap has garbage collected before it fills the memory of the function, in
// MB, of which a seventh is left for what is not the heap. Lambda kills who needs
// more.
func limitHeap(memory string) {
	if mb, err := strconv.ParseInt(memory, 10, 64); err == nil && mb > 0 {
		debug.SetMemoryLimit(mb << 20 / 7 * 6)
	}
}

// Fail writes why the function cannot start, and ends it.
func Fail(err error) {
	slog.New(slog.NewJSONHandler(os.Stdout, nil)).Error("start", "error", err)
	os.Exit(1)
}

// Value returns a variable that New was asked for.
func (f *Function) Value(name string) string {
	value, ok := f.values[name]
	if !ok {
		panic("setup: " + name + " was not asked for")
	}
	return value
}

// Number returns a variable that holds a whole number. Another text ends the
// process with the variable's name.
func (f *Function) Number(name string) int {
	n, err := strconv.Atoi(f.Value(name))
	if err != nil {
		Fail(fmt.Errorf("%s: want a whole number", name))
	}
	return n
}

// Store opens the table. A function that writes what expires must have asked
// for POSTINO_RETENTION and POSTINO_PAYLOAD_RETENTION.
func (f *Function) Store() *dynamostore.Store {
	store := dynamostore.New(dynamodb.NewFromConfig(f.AWS, dynamostore.Options), f.Value("POSTINO_TABLE"))
	if _, writes := f.values["POSTINO_RETENTION"]; writes {
		store.Retention, store.PayloadRetention = f.days("POSTINO_RETENTION"), f.days("POSTINO_PAYLOAD_RETENTION")
	}
	return store
}

// Retention returns how long things are kept. The function must have asked for
// all three variables.
func (f *Function) Retention() webhook.Retention {
	keep := webhook.Retention{
		All: f.days("POSTINO_RETENTION"), Payload: f.days("POSTINO_PAYLOAD_RETENTION"), Once: f.days("POSTINO_ONCE_RETENTION"),
	}
	keep.Payload = min(keep.Payload, keep.All)
	if err := keep.Check(); err != nil {
		Fail(err)
	}
	return keep
}

func (f *Function) days(name string) time.Duration {
	return time.Duration(f.Number(name)) * 24 * time.Hour
}

// sparing is how long a container keeps few counts for /stats before it pays for
// writing them: a row for each subscription and tenant.
const sparing = 30 * time.Second

// Statistics returns what counts by tenant and subscription, into the table.
func (f *Function) Statistics(store stats.Store) *stats.Recorder {
	f.Stats = &stats.Recorder{Store: store, Log: f.Log, Spare: sparing}
	return f.Stats
}

// Results returns what counts what campaigns lead to, into the table. It is stored
// together with the Statistics.
func (f *Function) Results(store results.Store) *results.Recorder {
	f.results = &results.Recorder{Store: store, Log: f.Log, Spare: sparing}
	return f.results
}

// Queue opens the queue that a variable names.
func (f *Function) Queue(name string) *sqsqueue.Queue {
	return sqsqueue.New(sqs.NewFromConfig(f.AWS, sqsqueue.Options), f.Value(name))
}
