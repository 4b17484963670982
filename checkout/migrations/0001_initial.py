import checkout.models
import django.db.models.deletion
import django.db.models.expressions
import django.utils.timezone
import django_countries.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('accounts', '0001_initial'),
        ('accounts', '__first__'),
        ('catalog', '0001_initial'),
        ('offsets', '0001_initial'),
        ('projects', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Basket',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('country', django_countries.fields.CountryField(max_length=2, verbose_name='country')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('market', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.market')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'basket',
                'verbose_name_plural': 'baskets',
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.CharField(max_length=12, unique=True, verbose_name='number')),
                ('token', models.CharField(default=checkout.models.access_token, editable=False, max_length=30, unique=True, verbose_name='access token')),
                ('basket_id', models.UUIDField(editable=False, unique=True, verbose_name='basket')),
                ('livemode', models.BooleanField(verbose_name='live')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('country', django_countries.fields.CountryField(max_length=2, verbose_name='country')),
                ('audience', models.CharField(max_length=10, verbose_name='audience')),
                ('language', models.CharField(max_length=10, verbose_name='language')),
                ('wording', models.CharField(max_length=40, verbose_name='wording')),
                ('email', models.EmailField(max_length=254, verbose_name='e-mail')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('company', models.CharField(blank=True, max_length=120, verbose_name='company')),
                ('vat_id', models.CharField(blank=True, max_length=20, verbose_name='VAT id')),
                ('address', models.TextField(max_length=500, verbose_name='address')),
                ('po_number', models.CharField(blank=True, max_length=40, verbose_name='PO number')),
                ('cost_centre', models.CharField(blank=True, max_length=40, verbose_name='cost centre')),
                ('payment_method', models.CharField(choices=[('card', 'card (sandbox)'), ('invoice', 'invoice')], max_length=10, verbose_name='payment')),
                ('on_terms', models.BooleanField(default=False, verbose_name='on approved terms')),
                ('early_retirement_consent_at', models.DateTimeField(blank=True, null=True, verbose_name='consent to retire within 14 days')),
                ('net_minor', models.BigIntegerField(verbose_name='net')),
                ('tax_minor', models.BigIntegerField(verbose_name='VAT')),
                ('gross_minor', models.BigIntegerField(verbose_name='gross')),
                ('placed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='placed')),
                ('expires_at', models.DateTimeField(blank=True, null=True, verbose_name='to be paid by')),
                ('paid_at', models.DateTimeField(blank=True, null=True, verbose_name='paid')),
                ('cancelled_at', models.DateTimeField(blank=True, null=True, verbose_name='cancelled')),
                ('cancel_reason', models.CharField(blank=True, max_length=120, verbose_name='why cancelled')),
                ('mailed_at', models.DateTimeField(blank=True, null=True, verbose_name='confirmation sent')),
                ('market', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='accounts.market')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='accounts.account')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='orders', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'order',
                'verbose_name_plural': 'orders',
                'ordering': ['-id'],
                'permissions': [('ship_order', 'Can ship devices of an order'), ('record_payment', 'Can record a payment that arrived'), ('approve_terms', 'Can let an order ship before it is paid'), ('cancel_order', 'Can cancel an order that is neither paid nor shipped')],
                'indexes': [models.Index(condition=models.Q(('cancelled_at__isnull', True), ('expires_at__isnull', False), ('paid_at__isnull', True)), fields=['expires_at'], name='order_expiring'), models.Index(condition=models.Q(('mailed_at__isnull', True)), fields=['id'], name='order_to_mail')],
                'constraints': [models.CheckConstraint(condition=models.Q(('gross_minor', django.db.models.expressions.CombinedExpression(models.F('net_minor'), '+', models.F('tax_minor')))), name='gross_adds_up'), models.CheckConstraint(condition=models.Q(('paid_at__isnull', True), ('cancelled_at__isnull', True), _connector='OR'), name='paid_or_cancelled')],
            },
        ),
        migrations.CreateModel(
            name='OrderLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(verbose_name='line')),
                ('sku', models.CharField(max_length=40, verbose_name='SKU')),
                ('manufacturer', models.CharField(max_length=60, verbose_name='manufacturer')),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('configuration', models.CharField(max_length=200, verbose_name='configuration')),
                ('country_of_use', django_countries.fields.CountryField(max_length=2, verbose_name='country of use')),
                ('years', models.PositiveSmallIntegerField(verbose_name='years of use')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
                ('unit_net_minor', models.BigIntegerField(verbose_name='price each, net')),
                ('vat_basis_points', models.PositiveIntegerField(verbose_name='VAT, hundredths of a per cent')),
                ('net_minor', models.BigIntegerField(verbose_name='net')),
                ('tax_minor', models.BigIntegerField(verbose_name='VAT')),
                ('footprint', models.JSONField(null=True, verbose_name='footprint, frozen')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='checkout.order')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='catalog.product')),
            ],
            options={
                'verbose_name': 'order line',
                'verbose_name_plural': 'order lines',
                'ordering': ['order', 'position'],
                'constraints': [models.UniqueConstraint(fields=('order', 'position'), name='order_line_once')],
            },
        ),
        migrations.CreateModel(
            name='OffsetLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('units', models.PositiveIntegerField(verbose_name='units')),
                ('unit_amount_g', models.BigIntegerField(verbose_name='grams each')),
                ('price_minor_per_tonne', models.PositiveBigIntegerField(verbose_name='price per tonne, net')),
                ('unit_net_minor', models.BigIntegerField(verbose_name='price each, net')),
                ('vat_basis_points', models.PositiveIntegerField(verbose_name='VAT, hundredths of a per cent')),
                ('net_minor', models.BigIntegerField(verbose_name='net')),
                ('tax_minor', models.BigIntegerField(verbose_name='VAT')),
                ('text', models.CharField(max_length=300, verbose_name='text on the order')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='projects.project')),
                ('line', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='offset_line', to='checkout.orderline')),
            ],
            options={
                'verbose_name': 'offset line',
                'verbose_name_plural': 'offset lines',
                'constraints': [models.CheckConstraint(condition=models.Q(('unit_amount_g__gt', 0), ('units__gt', 0)), name='offset_line_positive')],
            },
        ),
        migrations.CreateModel(
            name='Payment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', models.CharField(choices=[('card', 'card (sandbox)'), ('invoice', 'invoice')], max_length=10, verbose_name='method')),
                ('reference', models.CharField(max_length=80, unique=True, verbose_name='reference')),
                ('amount_minor', models.BigIntegerField(verbose_name='amount')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('livemode', models.BooleanField(verbose_name='live')),
                ('received_at', models.DateTimeField(verbose_name='received')),
                ('actor', models.CharField(max_length=60, verbose_name='by')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payments', to='checkout.order')),
            ],
            options={
                'verbose_name': 'payment',
                'verbose_name_plural': 'payments',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Shipment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('shipped_at', models.DateTimeField(verbose_name='shipped')),
                ('offsets_not_before', models.DateTimeField(verbose_name='credits not before')),
                ('carrier', models.CharField(blank=True, max_length=60, verbose_name='carrier')),
                ('tracking', models.CharField(blank=True, max_length=80, verbose_name='tracking number')),
                ('actor', models.CharField(max_length=60, verbose_name='by')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='shipments', to='checkout.order')),
            ],
            options={
                'verbose_name': 'shipment',
                'verbose_name_plural': 'shipments',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='OrderedDevice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveIntegerField(verbose_name='unit')),
                ('with_offset', models.BooleanField(default=False, verbose_name='with credits')),
                ('device_serial', models.CharField(blank=True, max_length=64, null=True, verbose_name='device serial')),
                ('certificate_mailed_at', models.DateTimeField(blank=True, null=True, verbose_name='certificate sent')),
                ('refunded_at', models.DateTimeField(blank=True, null=True, verbose_name='refunded')),
                ('problem', models.CharField(blank=True, max_length=300, verbose_name='what is wrong')),
                ('offset', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ordered_device', to='offsets.deviceoffset')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='checkout.orderline')),
                ('shipment', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='devices', to='checkout.shipment')),
            ],
            options={
                'verbose_name': 'ordered device',
                'verbose_name_plural': 'ordered devices',
                'ordering': ['line', 'position'],
                'indexes': [models.Index(condition=models.Q(('offset__isnull', True), ('problem', ''), ('shipment__isnull', False), ('with_offset', True)), fields=['shipment'], name='device_to_promise'), models.Index(condition=models.Q(('certificate_mailed_at__isnull', True), ('offset__isnull', False)), fields=['shipment'], name='device_to_mail'), models.Index(fields=['device_serial'], name='ordered_device_by_serial')],
                'constraints': [models.UniqueConstraint(fields=('line', 'position'), name='ordered_device_once'), models.CheckConstraint(condition=models.Q(('shipment__isnull', True), ('device_serial__isnull', False), _connector='OR'), name='shipped_has_serial'), models.CheckConstraint(condition=models.Q(('offset__isnull', True), ('with_offset', True), _connector='OR'), name='offset_was_ordered')],
            },
        ),
        migrations.CreateModel(
            name='BasketLine',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('country_of_use', django_countries.fields.CountryField(max_length=2, verbose_name='country of use')),
                ('years', models.PositiveSmallIntegerField(default=5, verbose_name='years of use')),
                ('quantity', models.PositiveIntegerField(verbose_name='quantity')),
                ('offset_units', models.PositiveIntegerField(default=0, verbose_name='units with credits')),
                ('added_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last added to')),
                ('added_quantity', models.PositiveIntegerField(default=0, verbose_name='added then')),
                ('basket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='lines', to='checkout.basket')),
                ('offset_project', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='projects.project')),
                ('options', models.ManyToManyField(to='catalog.option')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='catalog.product')),
            ],
            options={
                'verbose_name': 'basket line',
                'verbose_name_plural': 'basket lines',
                'ordering': ['id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('quantity__gte', 1)), name='basket_line_not_empty'), models.CheckConstraint(condition=models.Q(('years__gte', 1), ('years__lte', 5)), name='basket_years_one_to_five'), models.CheckConstraint(condition=models.Q(('offset_units__lte', models.F('quantity'))), name='basket_offset_units_within'), models.CheckConstraint(condition=models.Q(models.Q(('offset_project__isnull', True), ('offset_units', 0)), models.Q(('offset_project__isnull', False), ('offset_units__gte', 1)), _connector='OR'), name='basket_offset_has_project')],
            },
        ),
    ]
