// Command manage is the Lambda function behind all of the API but publishing.
package main

import (
	"github.com/aws/aws-lambda-go/lambda"

	"github.com/postino/postino/functions/internal/setup"
	"github.com/postino/postino/shared/awslambda"
	"github.com/postino/postino/shared/manage"
	"github.com/postino/postino/shared/postino"
)

func main() {
	f := setup.New("POSTINO_TABLE", "POSTINO_QUEUE_EVENTS", "POSTINO_QUEUE_DELIVERIES", "POSTINO_QUEUE_RETRIES", "POSTINO_QUEUE_RESEND",
		"POSTINO_KMS_KEY", "POSTINO_ADMIN_KEY_SECRET", "POSTINO_EGRESS_ALLOW", "POSTINO_API_HOST")
	stage := &manage.Handler{
		Store:  f.Store(),
		Resend: f.Queue("POSTINO_QUEUE_RESEND"),
		Backlogs: manage.Backlogs{
			Events:     f.Queue("POSTINO_QUEUE_EVENTS"),
			Deliveries: f.Queue("POSTINO_QUEUE_DELIVERIES"),
			Retries:    f.Queue("POSTINO_QUEUE_RETRIES"),
		},
		Secrets:      f.Sealer(),
		Destinations: f.Guard(),
		Auth:         f.Authenticator(),
		Version:      postino.Version,
		Log:          f.Log,
	}
	lambda.Start(awslambda.HTTP(stage))
}
