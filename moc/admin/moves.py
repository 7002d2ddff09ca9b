"""Lifecycle actions: the transitions that the user may make, each by the slice's service, asked for once more with its reason."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import Http404, HttpResponseRedirect

from moc.access import policy, presence
from moc.errors import UserError
from moc.lifecycle import Transition


class Moves:
    """RecordAdmin's part that moves records: `moves` names the transitions that are made here, all of them by `move_service`."""

    moves: tuple[str, ...] = ()

    def move_service(self, *, actor, rows: QuerySet, name: str, reason: str) -> None:
        """Call the slice's service that makes the move of these rows."""
        raise NotImplementedError

    def available_moves(self, request, obj=None) -> list[Transition]:
        """The transitions that the user may make: of one record, or of some record when none is given."""
        offered = [self.model.lifecycle.transitions[name] for name in self.moves]
        may = [move for move in offered if move.permission and policy.allows(request.user, move.permission, obj)]
        return [move for move in may if obj is None or obj.status in move.sources]

    def get_actions(self, request) -> dict:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        if self.moment(request) is not None:
            return actions
        for move in self.available_moves(request):
            actions[f"move_{move.name}"] = (_action_of(move), f"move_{move.name}", f"{move.title} …")
        return actions

    def move_view(self, request, object_id, name):
        """Make one move of one record."""
        obj = self.get_object(request, unquote(object_id))
        move = next((move for move in self.available_moves(request, obj) if move.name == name), None) if obj else None
        if move is None:
            raise Http404
        return self.make_move(request, move, self.get_queryset(request).filter(pk=obj.pk), self.address("change", obj.pk), obj)

    def make_move(self, request, move: Transition, rows, back: str, obj=None):
        """Ask for confirmation and reason, then call the service; a refusal is told and nothing is changed."""
        reason = request.POST.get("reason", "").strip()
        asked = request.method == "POST" and "confirmed" in request.POST
        if not asked or (move.needs_reason and not reason):
            if asked:
                messages.error(request, "This move needs a reason.")
            selected = request.POST.getlist(ACTION_CHECKBOX_NAME)
            count = 1 if obj else rows.order_by()[:10_001].count()
            context = {"move": move, "count": count, "selected": selected, "posted": request.POST, "back": back}
            return self.render_page(request, "admin/move.html", f"{move.title}: {obj or self.opts.verbose_name_plural}", obj, context)
        if move.sensitive:
            presence.demand(request)
        try:
            self.move_service(actor=request.user, rows=rows, name=move.name, reason=reason)
        except (UserError, policy.NotPermitted) as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, f"{move.title}: done.")
        return HttpResponseRedirect(back)


def _action_of(move: Transition) -> Callable:
    def action(admin, request, queryset):
        return admin.make_move(request, move, queryset, request.get_full_path())

    return action
