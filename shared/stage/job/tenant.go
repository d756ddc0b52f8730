package job

import (
	"context"
	"fmt"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// The stages of a tenant's deletion.
const (
	stageRemove    = iota // everything goes
	stageLinger           // what was under way comes to its end
	stageRest             // what it left behind goes too
	stageForget           // the name is free again
	stageForgotten        // the end
)

// tenants removes all that a tenant has.
type tenants struct{ *Worker }

// decide removes the next of what belongs to the job's target, as long as
// that deletion goes on which began at j.Born: another job may have ended it,
// and then the name may be in use again.
func (w tenants) decide(ctx context.Context, j *webhook.Job) (found, error) {
	state, err := w.Store.TenantState(ctx, j.Target)
	if err != nil {
		return found{}, fmt.Errorf("read tenant: %w", err)
	}
	if !state.Running() || state.Began.UnixMilli() != j.Born || j.Stage == stageForgotten {
		return found{over: true}, nil
	}
	switch j.Stage {
	case stageRemove, stageRest:
		n, err := w.Store.PurgeTenant(ctx, j.Target, purgeAtOnce)
		if err != nil {
			return found{}, fmt.Errorf("purge: %w", err)
		}
		if j.Counts.Removed += int64(n); n == 0 {
			j.Stage++
		}
	case stageLinger:
		j.Stage++
		return found{pause: Grace}, nil
	case stageForget:
		if err := w.Store.EndDeletion(ctx, j.Target, w.now()); err != nil {
			return found{}, fmt.Errorf("end: %w", err)
		}
		j.Stage++
	}
	return found{}, nil
}

// carryOut has nothing to do: what is found is removed at once.
func (w tenants) carryOut(context.Context, *webhook.Job) (time.Duration, error) { return 0, nil }
