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

// Invoke handles one invocation.
func (c counted) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	defer func() {
		if err := c.f.Metrics.Flush(time.Now()); err != nil {
			c.f.Log.Error("write metrics", "error", err)
		}
	}()
	return c.Handler.Invoke(ctx, payload)
}

// shutDown is called when Lambda ends the container, which it kills half a
// second later.
func (f *Function) shutDown() {
	if err := f.Metrics.Close(time.Now()); err != nil {
		f.Log.Error("write metrics", "error", err)
	}
}
