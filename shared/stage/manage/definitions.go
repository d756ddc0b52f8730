package manage

import (
	"context"
	"fmt"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/people"
	"github.com/postino/postino/shared/people/campaign"
	"github.com/postino/postino/shared/webhook"
)

// definitions is what a tenant has defined of profiles.
type definitions struct {
	*Handler
	Store Definitions
}

// Definitions are a tenant's computed attributes, segments, campaigns and caps.
type Definitions interface {
	people.Source // lists rules by name, segments by id
	people.CampaignSource
	// PutAttributeRule stores a rule in place of the one of its name.
	PutAttributeRule(ctx context.Context, r webhook.AttributeRule) error
	// DeleteAttributeRule removes a rule, or returns [webhook.ErrNotFound].
	DeleteAttributeRule(ctx context.Context, tenant, name string) error
	// PutSegment stores a segment, and reports whether there was none of its id.
	PutSegment(ctx context.Context, s webhook.Segment) (created bool, err error)
	// DeleteSegment removes a segment, or returns [webhook.ErrNotFound].
	DeleteSegment(ctx context.Context, tenant, id string) error
	// SaveCampaign, SaveCap: store it in place of the revision before, or return
	// [webhook.ErrConflict].
	SaveCampaign(ctx context.Context, c webhook.Campaign) error
	SaveCap(ctx context.Context, c webhook.Cap) error
	// DeleteCampaign, DeleteCap: remove it, or return [webhook.ErrNotFound].
	DeleteCampaign(ctx context.Context, tenant, id string) error
	DeleteCap(ctx context.Context, tenant, name string) error
	// PeopleChanged counts a change of them, in [webhook.TenantState].
	PeopleChanged(ctx context.Context, tenant string) error
}

// rules are all that the tenant has.
func (h *definitions) rules(r *httpapi.Request) ([]webhook.AttributeRule, error) {
	rules, err := h.Store.AttributeRules(r.Context(), r.Tenant, people.MaxRules)
	if err != nil {
		return nil, fmt.Errorf("read computed attributes: %w", err)
	}
	return rules, nil
}

func (h *definitions) all(r *httpapi.Request) ([]webhook.Segment, error) {
	segments, err := h.Store.Segments(r.Context(), r.Tenant, people.MaxSegments)
	if err != nil {
		return nil, fmt.Errorf("read segments: %w", err)
	}
	return segments, nil
}

// compiled are the tenant's computed attributes and segments; nil for none.
func (h *definitions) compiled(r *httpapi.Request) (*people.Definitions, error) {
	rules, segments, err := people.ReadAll(r.Context(), h.Store, r.Tenant)
	if err != nil {
		return nil, err
	}
	return people.Define(rules, segments)
}

// campaigns are all campaigns and caps of the tenant.
func (h *definitions) campaigns(r *httpapi.Request) ([]webhook.Campaign, []webhook.Cap, error) {
	campaigns, caps, err := h.Store.Campaigns(r.Context(), r.Tenant, campaign.MaxCampaigns+campaign.MaxCaps)
	if err != nil {
		return nil, nil, fmt.Errorf("read campaigns: %w", err)
	}
	return campaigns, caps, nil
}

// define stores a definition and lets fan-out know. A process that dies between the
// two has not answered: the caller repeats.
func (h *definitions) define(r *httpapi.Request, store func() error) error {
	if err := h.ensureTenant(r); err != nil {
		return err
	}
	if err := store(); err != nil {
		return err
	}
	if err := h.Store.PeopleChanged(r.Context(), r.Tenant); err != nil {
		return fmt.Errorf("announce a definition: %w", err)
	}
	return nil
}
