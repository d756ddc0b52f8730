package liquid

import (
	"fmt"
	"time"
)

// Limits of one [Budget]. A zero field means the default beside it.
type Limits struct {
	Steps  int           // 200,000: nodes rendered, iterations, and work done by filters; about 10 ms
	Output int           // 256 KiB of text: the most that a delivery's body may have
	Memory int           // 8 MiB of strings and arrays made, counted when made, never given back
	Time   time.Duration // 1 s: a last resort for a starved machine, the steps end long before
}

const (
	// MaxSource is the most bytes a template may have.
	MaxSource = 64 << 10
	// MaxNesting is how deep blocks, and brackets in an expression, may stand in one another.
	MaxNesting = 32
)

var defaults = Limits{Steps: 200_000, Output: 256 << 10, Memory: 8 << 20, Time: time.Second}

// Budget is what renders may still use up. Give the same one to all renders of one request, and
// together they stay within its limits. It is not safe for concurrent use.
type Budget struct {
	limits   Limits
	steps    int
	output   int
	memory   int
	check    int // the clock is read again when steps fall below
	deadline time.Time
}

// BudgetError says which budget a render used up.
type BudgetError struct {
	Budget string // steps, output, memory or time
	Limit  int64  // what was allowed: steps, bytes or nanoseconds
}

// Error names the budget and its limit.
func (e *BudgetError) Error() string {
	switch e.Budget {
	case "output":
		return fmt.Sprintf("over the output budget of %d bytes", e.Limit)
	case "memory":
		return fmt.Sprintf("over the memory budget of %d bytes for variables", e.Limit)
	case "time":
		return fmt.Sprintf("over the time budget of %v", time.Duration(e.Limit))
	}
	return fmt.Sprintf("over the budget of %d steps", e.Limit)
}

// NewBudget returns a full budget. Its time runs from its first few thousand steps on.
func NewBudget(limits Limits) *Budget {
	b := new(Budget)
	b.fill(limits)
	return b
}

func (b *Budget) fill(limits Limits) {
	orDefault(&limits.Steps, defaults.Steps)
	orDefault(&limits.Output, defaults.Output)
	orDefault(&limits.Memory, defaults.Memory)
	orDefault(&limits.Time, defaults.Time)
	*b = Budget{limits: limits, steps: limits.Steps, output: limits.Output, memory: limits.Memory}
	b.check = max(0, b.steps-stepsPerClock)
}

func orDefault[T int | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// stepsPerClock is how many steps pass between two looks at the clock. A render
// that ends before the first look needs no clock at all.
const stepsPerClock = 4096

// spend takes n steps.
func (b *Budget) spend(n int) error {
	b.steps -= n
	if b.steps < b.check {
		return b.audit()
	}
	return nil
}

// copying takes the steps for moving or comparing n bytes of text.
func (b *Budget) copying(n int) error { return b.spend(1 + n>>6) }

// reading takes the steps for going through n bytes of text character by character.
func (b *Budget) reading(n int) error { return b.spend(1 + n>>4) }

// alloc takes n bytes of memory, before they are made.
func (b *Budget) alloc(n int) error {
	if n < 0 || n > b.memory { // below zero: the size overflowed
		return &BudgetError{"memory", int64(b.limits.Memory)}
	}
	b.memory -= n
	return nil
}

// audit is the slow half of spend: it tells whether the steps or the time are over.
func (b *Budget) audit() error {
	if b.steps < 0 {
		return &BudgetError{"steps", int64(b.limits.Steps)}
	}
	b.check = max(0, b.steps-stepsPerClock)
	now := time.Now()
	if b.deadline.IsZero() {
		b.deadline = now.Add(b.limits.Time)
	}
	if now.After(b.deadline) {
		return &BudgetError{"time", int64(b.limits.Time)}
	}
	return nil
}

func (b *Budget) outOfOutput() error { return &BudgetError{"output", int64(b.limits.Output)} }
