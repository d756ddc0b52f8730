package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/postino/postino/shared/store/table"
	"github.com/postino/postino/shared/webhook"
)

// refused are the error codes by which DynamoDB says that it did nothing, and
// would if asked later.
var refused = map[string]bool{
	"ProvisionedThroughputExceededException": true,
	"ThrottlingException":                    true,
	"ThrottlingError":                        true, // as a transaction's cancellation reason
	"ProvisionedThroughputExceeded":          true, // the same
	"RequestLimitExceeded":                   true,
}

// met are the codes by which it says so to whom met another write.
var met = map[string]bool{
	"TransactionConflict":          true, // as a transaction's cancellation reason
	"TransactionConflictException": true,
}

// fault puts an error of the SDK into our words: the operation and DynamoDB's
// code, never its message, which may quote what was stored. It wraps
// [webhook.ErrBusy] when DynamoDB refused for lack of capacity, and the
// context's error when that ended the call.
func fault(op string, err error) error {
	var api smithy.APIError
	if errors.As(err, &api) {
		return coded(op, api.ErrorCode())
	}
	for _, ended := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, ended) {
			return fmt.Errorf("dynamostore: %s: %w", op, ended)
		}
	}
	return fmt.Errorf("dynamostore: %s: %w", op, err)
}

func coded(op, code string) error {
	if met[code] {
		return fmt.Errorf("dynamostore: %s: %s: %w: %w", op, code, table.ErrMet, webhook.ErrBusy)
	}
	if refused[code] {
		return fmt.Errorf("dynamostore: %s: %s: %w", op, code, webhook.ErrBusy)
	}
	return fmt.Errorf("dynamostore: %s: %s", op, code)
}

// readFault is [fault] for reads, which lose nothing when asked again: one
// that timed out, or that DynamoDB failed to serve, is busy too. A write that
// timed out may have happened, and ErrBusy would deny that.
func readFault(op string, err error) error {
	own := fault(op, err)
	if errors.Is(own, webhook.ErrBusy) || errors.Is(own, context.Canceled) {
		return own
	}
	var timeout net.Error
	var api smithy.APIError
	slow := errors.As(err, &timeout) && timeout.Timeout()
	failed := errors.As(err, &api) && api.ErrorFault() == smithy.FaultServer
	if slow || failed {
		return fmt.Errorf("%w: %w", own, webhook.ErrBusy)
	}
	return own
}

// unmet reports that a write's condition did not hold, and returns the item
// that stands there if the write asked for it, nil if none does.
func unmet(err error) (stored item, ok bool) {
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		return nil, false
	}
	return failed.Item, true
}

var allOld = types.ReturnValuesOnConditionCheckFailureAllOld

// absent is the condition of a put that creates.
var absent = aws.String("attribute_not_exists(pk)")
