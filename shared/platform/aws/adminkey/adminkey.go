// Package adminkey reads the API's admin key from Secrets Manager.
package adminkey

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/callback/secret"
)

// patience bounds Read: starting a container must not hang on a service that does
// not answer.
const patience = 10 * time.Second

// Read reads the API's admin key, a plain string in Secrets Manager, from
// the secret of that name or ARN. Space around it is dropped. It needs
// secretsmanager:GetSecretValue. The key is to be kept for the container's life:
// one that is changed holds in new containers.
func Read(ctx context.Context, config aws.Config, id string) (secret.String, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	value, err := secretsmanager.NewFromConfig(config).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", fmt.Errorf("read the admin key %s: %w", id, err)
	}
	key := strings.TrimSpace(aws.ToString(value.SecretString))
	if err := httpapi.CheckAdminKey(key); err != nil {
		return "", fmt.Errorf("read the admin key %s: %w", id, err)
	}
	return secret.String(key), nil
}
