package setup

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Start serves invocations with a handler, as [lambda.Start] does. After each
// it writes what was counted, if ten seconds have passed since it last did, and
// once more when Lambda shuts the container down. A container that is killed
// takes what it had not written with it: these are figures for graphs.
func (f *Function) Start(handler any) {
	f.Metrics.Function = os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	lambda.StartWithOptions(counted{lambda.NewHandler(handler), f}, lambda.WithEnableSIGTERM(f.shutDown))
}

// counted is a handler whose invocations end with a look at what was counted.
type counted struct {
	lambda.Handler
	f *Function
}

// flushTime bounds how much longer an invocation takes, now and then, to store
// what was counted.
const flushTime = 2 * time.Second

// Invoke handles one invocation.
func (c counted) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	defer func() {
		c.f.check(c.f.Metrics.Flush(time.Now()))
		if c.f.Stats != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
			defer cancel()
			c.f.Stats.Flush(ctx)
			c.f.results.Flush(ctx)
		}
	}()
	return c.Handler.Invoke(ctx, payload)
}

// lastMoments is what Lambda leaves a container from SIGTERM to SIGKILL, less
// something for us to notice.
const lastMoments = 400 * time.Millisecond

// shutDown is called when Lambda ends the container.
func (f *Function) shutDown() {
	f.check(f.Metrics.Close(time.Now()))
	if f.Stats != nil {
		ctx, cancel := context.WithTimeout(context.Background(), lastMoments)
		defer cancel()
		f.Stats.Close(ctx)
		f.results.Close(ctx)
	}
}

func (f *Function) check(err error) {
	if err != nil {
		f.Log.Error("write metrics", "error", err)
	}
}
