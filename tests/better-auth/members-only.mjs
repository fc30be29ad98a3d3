// For the plugin `customSession`: takes the active organization out of the session of a visitor who is no member of it.
export async function membersOnly({ user, session }, ctx) {
  const organizationId = session.activeOrganizationId
  if (!organizationId) return { user, session }
  const where = [{ field: "userId", value: user.id }, { field: "organizationId", value: organizationId }]
  const member = await ctx.context.adapter.findOne({ model: "member", where })
  return { user, session: { ...session, activeOrganizationId: member ? organizationId : null } }
}
