package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// functions are the five Lambda functions.
var functions = []string{"ingest", "fanout", "delivery", "manage", "sweep"}

// settings are what template.yaml gives the functions, naming nothing real.
var settings = []string{
	"POSTINO_TABLE=bench", "POSTINO_RETENTION=30", "POSTINO_PAYLOAD_RETENTION=30", "POSTINO_ONCE_RETENTION=400", "POSTINO_LOG_LEVEL=WARN", "POSTINO_METRICS=on", "POSTINO_EGRESS_ALLOW=", "POSTINO_EGRESS_PORTS=443", "POSTINO_API_HOST=api.example", "POSTINO_MAX_SUBSCRIPTIONS=10000",
	"POSTINO_MAX_BACKLOG=0", "POSTINO_STRICT_TYPES=off", "POSTINO_STRICT_TENANTS=off",
	"POSTINO_ADMIN_KEY_SECRET=bench", "POSTINO_KMS_KEY=bench",
	"POSTINO_QUEUE_EVENTS=https://queue.example/events", "POSTINO_QUEUE_DELIVERIES=https://queue.example/deliveries",
	"POSTINO_QUEUE_RETRIES=https://queue.example/retries", "POSTINO_QUEUE_RESEND=https://queue.example/resend",
	"POSTINO_QUEUE_EXHAUSTED=https://queue.example/exhausted",
	"AWS_REGION=eu-central-1", "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_MAX_ATTEMPTS=1",
}

const (
	starts       = 20      // of each function
	settleStarts = 3       // before them: the program has just been written
	maxStart     = 20      // ms to the first request for work, median
	maxZip       = 6.0     // MiB
	deployed     = "arm64" // the functions' processor; see template.yaml
	startsWithin = 10 * time.Second
)

// coldstart measures each function's way from process start to its first
// request for work, and how large it is when uploaded.
func coldstart(ctx context.Context, b *bench, r *result) error {
	return b.startFunctions(ctx, r, settleStarts, starts)
}

// startFunctions starts each function so often, and zips it as it is deployed.
func (b *bench) startFunctions(ctx context.Context, r *result, settle, starts int) error {
	runtime, err := listenRuntime()
	if err != nil {
		return err
	}
	defer runtime.close()
	for _, name := range functions {
		fmt.Fprintf(b.progress, "  %s: building for this machine and for %s …\n", name, deployed)
		program, err := buildFunction(ctx, b.dir, name, "")
		if err != nil {
			return err
		}
		times := make([]time.Duration, settle+starts)
		for i := range times {
			if times[i], err = runtime.start(ctx, program); err != nil {
				return fmt.Errorf("start %s: %w", name, err)
			}
		}
		times = times[settle:]
		slices.Sort(times)
		r.atMost(name+", start to first /next", milliseconds(percentile(times, 0.5)), "ms", maxStart)
		if err := b.zipFunction(ctx, r, name); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) zipFunction(ctx context.Context, r *result, name string) error {
	built, err := buildFunction(ctx, b.dir, name, deployed)
	if err != nil {
		return err
	}
	size, err := zippedSize(built)
	if err != nil {
		return err
	}
	r.atMost(name+", zipped", float64(size)/(1<<20), "MiB", maxZip)
	return nil
}

// buildFunction builds as `make build` does, but for a machine of our choice;
// "" is this one.
func buildFunction(ctx context.Context, dir, name, arch string) (program string, err error) {
	program = filepath.Join(dir, name+"-"+arch)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w", "-o", program,
		"github.com/postino/postino/functions/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if arch != "" {
		cmd.Env = append(cmd.Env, "GOOS=linux", "GOARCH="+arch)
	}
	cmd.Stderr = os.Stderr
	return program, cmd.Run()
}

func zippedSize(file string) (int, error) {
	binary, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.DefaultCompression)
	})
	w, err := archive.Create("bootstrap")
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(binary); err != nil {
		return 0, err
	}
	err = archive.Close()
	return out.Len(), err
}

// runtimeAPI is as much of Lambda's Runtime API as a function sees before its
// first event, and of AWS, that answers everything with 400.
type runtimeAPI struct {
	address string
	server  *http.Server
	asked   chan time.Time // for work
}

func listenRuntime() (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{address: l.Addr().String(), asked: make(chan time.Time, 1)}
	a.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/extension/register") {
			w.Header().Set("Lambda-Extension-Identifier", "1")
			return
		}
		if !strings.HasSuffix(r.URL.Path, "/next") {
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		if strings.HasSuffix(r.URL.Path, "/invocation/next") {
			select {
			case a.asked <- time.Now():
			default:
			}
		}
		<-r.Context().Done() // no work comes
	})}
	go a.server.Serve(l)
	return a, nil
}

func (a *runtimeAPI) close() { a.server.Close() }

// start runs the program until it asks for work, and returns how long that
// took.
func (a *runtimeAPI) start(ctx context.Context, program string) (time.Duration, error) {
	select {
	case <-a.asked: // by the program before
	default:
	}
	ctx, cancel := context.WithTimeout(ctx, startsWithin)
	defer cancel()
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append(append([]string{"AWS_LAMBDA_RUNTIME_API=" + a.address, "AWS_ENDPOINT_URL=http://" + a.address}, settings...),
		"PATH="+os.Getenv("PATH"))
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case at := <-a.asked:
		cancel() // which kills it
		<-ended
		return at.Sub(began), nil
	case err := <-ended:
		return 0, fmt.Errorf("ended before it asked for work: %w: %s", err, said.String())
	}
}
